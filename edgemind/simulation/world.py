from random import Random
from edgemind.domain.routing.picker import Shed
from edgemind.simulation.clock import VirtualClock
from edgemind.simulation.faults import plan_faults
from edgemind.simulation.gateways import Gateway,VARIANT
from edgemind.simulation.network import place_sites, by_distance
from edgemind.simulation.parameters import read_parameters
from edgemind.simulation.policies import MAKERS, PeakEwma
from edgemind.simulation.stations import Station
from edgemind.simulation.truth import Truth
from edgemind.simulation.workload import arrivals
import dataclasses

class World:
    def __init__(self, policy, P, seed, sites, staleness_ms, mode="exact"):
        rng=Random(f"{seed} world")
        self.P=P; self.staleness_ms=staleness_ms
        self.rtt=place_sites(sites,P.fleet.rtt_min_ms,P.fleet.rtt_max_ms,rng)
        self.slots=[rng.choice(P.fleet.slots) for _ in range(sites)]
        self.faults=plan_faults(P,self.rtt,rng)
        skew=[1+P.load.skew*(2*rng.random()-1) for _ in range(sites)]
        total=sum(self.slots)*1000/P.work.service_ms*P.load.utilisation
        w=sum(s*k for s,k in zip(self.slots,skew))
        self.rates=[total*s*k/w for s,k in zip(self.slots,skew)]
        self.clock=VirtualClock()
        b=self.faults.brownout
        slow=[b.factor_at if j in b.sites else (lambda t:1.0) for j in range(sites)]
        VARIANT['clock']=self.clock
        self.stations=[Station(self.clock,self.slots[j],P.work.service_ms,slow[j]) for j in range(sites)]
        self.truth=Truth(self.clock,self.stations,self.rtt,slow,P.work.service_ms,mode)
        names=[f"site-{j:02d}" for j in range(sites)]
        near=[set(by_distance(self.rtt,i)[:P.fleet.neighbours+1]) for i in range(sites)]
        if policy in("oracle",): near=[set(range(sites)) for i in range(sites)]
        self.known=[sorted(j for j in range(sites) if j in near[i] or i in near[j]) for i in range(sites)]
        self.index={n:j for j,n in enumerate(names)}
        self.gateways=[Gateway(i,names,self.known[i],self.rtt,self.slots,P.work.service_ms,MAKERS[policy](i,Random(f"{seed} policy {i}"),self.truth),P.routing) for i in range(sites)]
        self.truth.gateways=self.gateways
        self.raw = policy not in ("hybrid","local_first","least_request")
        self.lat=[]  # (sent, latency, ingress)
        self.shed=0; self.to_remote=0; self.reasons={}
        beacon=1000/P.signals.beacon_hz
        for i in range(sites):
            self.clock.at(rng.random()*beacon,self.beat,i,beacon)
            self.clock.at(rng.random()*P.routing.tick_ms,self.tick,i)
    def beat(self,i,period):
        g=self.gateways[i]; now=self.clock.now_ms
        g.measure_demand(period,self.P.signals.demand_window_ms)
        b=g.beacon(now)
        self.clock.at(now+self.staleness_ms,self.deliver,b)
        g.expire(now)
        self.clock.at(now+period,self.beat,i,period)
    def deliver(self,b):
        for i in self.known[b.site]:
            if i!=b.site: self.gateways[i].hear(b)
    def tick(self,i):
        self.gateways[i].compute_table(self.clock.now_ms)
        self.clock.at(self.clock.now_ms+self.P.routing.tick_ms,self.tick,i)
    def arrive(self,r):
        g=self.gateways[r.ingress]
        if self.raw:
            g._arrived+=1
            ch=g._policy(g.choices,r.draw,2.0)
        else: ch=g.choose(r.draw)
        if type(ch) is Shed:
            self.shed+=1; self.lat.append((r.sent_ms,1e9,r.ingress)); return
        c,reason=ch
        self.reasons[reason]=self.reasons.get(reason,0)+1
        j=self.index[c.key]
        c.sent()
        if j==r.ingress: self.stations[j].take(r.work,self.done_local,r,j,self.clock.now_ms,self.stations[j].in_flight)
        else:
            self.truth.heading[j]+=1; self.truth.own_heading[r.ingress][j]+=1
            self.clock.at(self.clock.now_ms+c.rtt_ms/2,self.reach,r,j,c)
    def reach(self,r,j,c):
        self.truth.heading[j]-=1; self.truth.own_heading[r.ingress][j]-=1
        self.gateways[j].local.sent()
        self.stations[j].take(r.work,self.done_remote,r,j,c,self.clock.now_ms,self.stations[j].in_flight)
    def observe(self,j,since,load):
        g=self.gateways[j]
        g.estimate.observe(self.clock.now_ms-since,load,g.local.slots)
        g.local.service_ms=g.estimate.ms
        g.local.finished()
    def done_local(self,r,j,since,load):
        self.observe(j,since,load)
        self.record(r,self.gateways[j].local)
    def done_remote(self,r,j,c,since,load):
        self.observe(j,since,load)
        g=self.gateways[j]
        self.clock.at(self.clock.now_ms+c.rtt_ms/2,self.back,r,j,c,(self.clock.now_ms,g.local.own,g.local.slots,g.estimate.ms))
    def back(self,r,j,c,header):
        c.finished()
        self.gateways[r.ingress].report(j,*header)
        self.record(r,c)
    def record(self,r,c):
        l=self.clock.now_ms-r.sent_ms
        self.lat.append((r.sent_ms,l,r.ingress))
        p=self.gateways[r.ingress]._policy
        if isinstance(p,PeakEwma): p.observe(c.key,l,self.clock.now_ms)
    def run(self,seed):
        d=self.P.load.duration_s*1000
        reqs=arrivals(self.rates,self.faults.flash_crowd,d,self.P.work.sigma,seed)
        self.clock.run(d,((r.sent_ms,r) for r in reqs),self.arrive)
        # drain
        end=len(reqs)
        self.left=end-len(self.lat)
        w=self.P.load.warm_up_s*1000
        f=self.faults.flash_crowd
        ok=n=fok=fn=0; ls=[]
        for s,l,i in self.lat:
            if s<w: continue
            n+=1; ok+=l<=50; ls.append(l)
            if f.start_ms<=s<f.end_ms: fn+=1; fok+=l<=50
        n+=self.left
        ls.sort()
        return dict(n=n,within=100*ok/n,flash=100*fok/fn,p50=ls[len(ls)//2],p99=ls[int(len(ls)*.99)],shed=self.shed,left=self.left,reasons=self.reasons)
