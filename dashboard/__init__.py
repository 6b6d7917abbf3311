"""The status page: what a fleet does just now, read through its fleet API and nothing else.

main.py         the page: `streamlit run dashboard/main.py -- --fleet URL --token-file FILE`
connection.py   which fleet to show
client.py       the one door to the fleet API, with what was read last; http_get.py is its wire
explanations.py the shape of a decision's explanation
trouble.py      why there is nothing new to show, in words for people
history.py      pure: what counters amount to over the last minute and the last quarter of an hour
wording.py      pure: numbers, ages and reason codes as a person would say them
charts.py       pure: charts from plain rows
markup/         pure: tables as HTML, every string escaped
views/          what draws: one file for each part of the page
"""
