from benchmarks.audit import measure_audit


def test_every_part_of_it_is_measured_on_a_small_journal() -> None:
    taken = measure_audit(1000, lambda line: None)
    assert (taken.records, taken.erased) == (1000, 20)
    assert min(taken.write_us, taken.find_p50_ms, taken.absent_ms, taken.verify_s, taken.erase_s) > 0
    assert 500 < taken.bytes_per_record < 2000
