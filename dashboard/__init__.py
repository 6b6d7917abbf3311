"""The dashboard: whether a fleet is well, what it does and why, read through its fleet API and nothing else.

main.py         the app: `streamlit run dashboard/main.py -- --fleet URL --token-file FILE`
connection.py   which fleet to show; people.py: with whose token, where people sign in
client.py       the one door to the fleet API, with what was read last; resources.py is what it asks for
http_calls.py   its wire; scenario_control.py: the demo's scenarios
explanations.py the shape of a decision's explanation
trouble.py      why there is nothing new to show, in words for people
verdict.py      pure: how the fleet is, in one sentence
history.py      pure: what counters amount to; trends.py: with what the controllers kept
wording.py      pure: numbers, ages, levels and reason codes as a person would say them
charts.py       pure: charts from plain rows
geography.py    pure: sites on the part of the world that holds them (world.json)
markup/         pure: tables and tiles as HTML, every string escaped
views/          what draws: executive, operations, developer, and their parts
"""
