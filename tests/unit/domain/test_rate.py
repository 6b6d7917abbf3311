import pytest

from edgemind.domain.rate import TokenBucket


def taken(bucket: TokenBucket, now_s: float, times: int) -> int:
    return sum(bucket.take(now_s) for _ in range(times))


def test_a_full_bucket_grants_its_burst_at_once_and_then_its_rate() -> None:
    bucket = TokenBucket.full(8.0, 5.0, now_s=100.0)
    assert taken(bucket, 100.0, 9) == 5
    assert taken(bucket, 100.125, 9) == 1
    assert taken(bucket, 100.4375, 9) == 2


def test_it_never_holds_more_than_its_burst() -> None:
    bucket = TokenBucket.full(10.0, 5.0, now_s=0.0)
    assert taken(bucket, 0.0, 5) == 5
    assert taken(bucket, 1000.0, 9) == 5


def test_over_a_long_time_it_grants_the_rate_whatever_the_pattern() -> None:
    bucket = TokenBucket.full(3.0, 2.0, now_s=0.0)
    assert sum(bucket.take(step * 0.01) for step in range(10_000)) == pytest.approx(2 + 300, abs=1)


def test_it_says_how_long_to_wait() -> None:
    bucket = TokenBucket.full(2.0, 4.0, now_s=0.0)
    taken(bucket, 0.0, 4)
    assert not bucket.take(0.0)
    assert bucket.next_token_s() == pytest.approx(0.5)
    assert bucket.full_again_s() == pytest.approx(2.0)
    assert not bucket.take(0.49)
    assert bucket.take(0.5)


def test_a_refusal_costs_nothing() -> None:
    bucket = TokenBucket.full(1.0, 1.0, now_s=0.0)
    assert bucket.take(0.0)
    assert taken(bucket, 0.5, 100) == 0
    assert bucket.take(1.0)


def test_with_a_token_there_is_nothing_to_wait_for() -> None:
    assert TokenBucket.full(1.0, 3.0, now_s=0.0).next_token_s() == 0.0
