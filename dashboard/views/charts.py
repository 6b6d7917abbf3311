"""The two charts of a trend, beside each other."""

from collections.abc import Sequence

import streamlit as st

from dashboard.charts import latency_chart, requests_chart
from dashboard.trends import TrendPoint
from edgemind.domain.swarm.summaries import RoundSummary


def show_trend(trend: Sequence[TrendPoint], rounds: Sequence[RoundSummary], key: str) -> None:
    if len(trend) < 2:
        st.caption("The charts begin with the second reading, in a moment.")
        return
    left, right = st.columns(2)
    with left:
        st.markdown("**Requests/s**, all sites")
        st.altair_chart(requests_chart(trend, rounds), width="stretch", key=f"{key}-requests")
    with right:
        st.markdown("**Added latency**, ms" + ("; lines mark rounds" if rounds else ""))
        st.altair_chart(latency_chart(trend, rounds), width="stretch", key=f"{key}-latency")
