"""What is done with audit journals beside writing them."""
