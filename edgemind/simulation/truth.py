"""The true state of the fleet, which only the oracle sees."""
class Truth:
    def __init__(self, clock, stations, rtt_ms, slowdowns, service_ms, mode="exact"):
        self.clock=clock; self.stations=stations; self.rtt_ms=rtt_ms; self.slowdowns=slowdowns; self.service_ms=service_ms
        self.heading=[0]*len(stations); self.indices=range(len(stations)); self.mode=mode; self.own_heading=[[0]*len(stations) for _ in stations]; self.gateways=None
    def expected_ms(self, ingress, j):
        now=self.clock.now_ms; rtt=self.rtt_ms[ingress][j]; st=self.stations[j]
        s=self.service_ms*self.slowdowns[j](now)
        if self.mode=="exact":
            arrive=now+rtt/2
            start=max(arrive, st.free_at_ms[0]+self.heading[j]*s/st.slots) if st.free_at_ms[0]+self.heading[j]*s/st.slots>arrive else arrive
            return start+s+rtt/2-now
        if self.mode=="nohead":
            n=st.in_flight
        elif self.mode=="ownhead":
            n=max(st.in_flight, self.gateways[ingress].candidates[j].own)
        elif self.mode=="ownhead2":
            n=st.in_flight+self.own_heading[ingress][j]
        else: n=st.in_flight+self.heading[j]
        beyond=n+1-st.slots
        return rtt+s+(beyond/st.slots*s if beyond>0 else 0)
