"""The policies a simulation compares: the domain's own, and the field's for reference.

Every baseline sees what ours sees: the same candidates, reports, load headers and own-sent counts.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import partial
from math import exp
from random import Random

from edgemind.domain.requests import Reason
from edgemind.domain.routing.candidates import Candidate, CandidateSet
from edgemind.domain.routing.cost import expected_completion_ms
from edgemind.domain.routing.policies import POLICIES, Policy
from edgemind.simulation.truth import Truth

MakePolicy = Callable[[int, Random, Truth], Policy]


def table(candidates: CandidateSet, draw: float, margin_ms: float) -> tuple[Candidate, Reason]:
    return candidates.members[bisect_right(candidates.cumulative, draw)], Reason.TABLE


class RoundRobin:
    def __init__(self) -> None:
        self._turn = 0
    def __call__(self, candidates: CandidateSet, draw: float, margin_ms: float) -> tuple[Candidate, Reason]:
        self._turn += 1
        return candidates.members[self._turn % len(candidates.members)], Reason.TABLE


def threshold(candidates: CandidateSet, draw: float, margin_ms: float, comp=False) -> tuple[Candidate, Reason]:
    def fine(c):
        load = c.in_flight if (comp or c.rtt_ms==0) else c.reported
        wait = max(0, load + 1 - c.slots)/c.slots*c.service_ms
        return c.service_ms + wait <= 100 and min(1, load / c.slots) <= 0.8 and load - c.slots <= 50
    local = candidates.local
    if fine(local): return local, Reason.LOCAL
    ok = [c for c in candidates.members if fine(c)]
    if ok: return min(ok, key=lambda c: c.rtt_ms), Reason.OVERRIDE
    return local, Reason.LOCAL


class PeakEwma:
    def __init__(self, rng, truth, ingress, tau=1000.0, believe=True):
        self.rng=rng; self.truth=truth; self.ingress=ingress; self.ewma={}; self.at={}; self.tau=tau; self.believe=believe
    def observe(self, key, latency_ms, now_ms):
        old=self.ewma.get(key)
        if old is None or latency_ms>old: self.ewma[key]=latency_ms
        else:
            w=exp(-(now_ms-self.at[key])/self.tau)
            self.ewma[key]=old*w+latency_ms*(1-w)
        self.at[key]=now_ms
    def cost(self,c):
        n = c.in_flight if self.believe else c.own
        e=self.ewma.get(c.key, c.rtt_ms+c.service_ms)
        if self.believe=="slots": return e*(n+1)/c.slots
        return e*(n+1)
    def __call__(self, candidates, draw, margin_ms):
        m=candidates.members; n=len(m)
        if n==1: return m[0], Reason.LEAST_REQUEST
        a=int(self.rng.random()*n); b=int(self.rng.random()*(n-1)); b+= b>=a
        a,b=m[a],m[b]
        return (a if self.cost(a)<=self.cost(b) else b), Reason.LEAST_REQUEST


def lr_p2c(rng):
    def choose(candidates, draw, margin_ms):
        m=candidates.members; n=len(m)
        if n==1: return m[0], Reason.LEAST_REQUEST
        a=int(rng.random()*n); b=int(rng.random()*(n-1)); b+= b>=a
        a,b=m[a],m[b]
        return (a if a.in_flight/a.slots<=b.in_flight/b.slots else b), Reason.LEAST_REQUEST
    return choose


def prequal(candidates: CandidateSet, draw: float, margin_ms: float, q=0.84) -> tuple[Candidate, Reason]:
    m=candidates.members
    rifs=[c.in_flight/c.slots for c in m]
    limit=sorted(rifs)[min(len(m)-1,int(q*len(m)))]
    cold=[c for c,r in zip(m,rifs) if r<limit]
    if cold: return min(cold,key=lambda c:c.expected_ms), Reason.LEAST_REQUEST
    return min(m,key=lambda c:c.in_flight/c.slots), Reason.LEAST_REQUEST


def oracle(truth, ingress, mode="exact"):
    def choose(candidates, draw, margin_ms):
        best=min(truth.indices, key=lambda j: truth.expected_ms(ingress,j))
        return truth.gateways[ingress].candidates.get(best) or truth.far(ingress,best), Reason.OVERRIDE
    return choose

MAKERS = {
  **{n:(lambda i,r,t,p=p:p) for n,p in POLICIES.items()},
  "table":lambda i,r,t:table, "round_robin":lambda i,r,t:RoundRobin(), "threshold":lambda i,r,t:threshold,
  "threshold_c":lambda i,r,t:partial(threshold,comp=True),
  "peak_ewma":lambda i,r,t:PeakEwma(r,t,i), "peak_ewma_own":lambda i,r,t:PeakEwma(r,t,i,believe=False),"peak_ewma_slots":lambda i,r,t:PeakEwma(r,t,i,believe="slots"),
  "peak_ewma10":lambda i,r,t:PeakEwma(r,t,i,tau=10000),
  "prequal":lambda i,r,t:prequal, "oracle":lambda i,r,t:oracle(t,i), "lr_p2c":lambda i,r,t:lr_p2c(r),
}
