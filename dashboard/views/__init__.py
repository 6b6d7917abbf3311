"""What draws: one file for each part of the page. Only these and main.py know Streamlit."""
