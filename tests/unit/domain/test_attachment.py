"""A device's list of ingresses."""

from edgemind.domain.attachment import Attachment


def test_home_comes_first() -> None:
    device = Attachment(["a", "b", "c"])
    assert (device.home, device.current, list(device.choices())) == ("a", "a", ["a", "b", "c"])


def test_what_is_lost_is_tried_last_and_home_again_when_found() -> None:
    device = Attachment(["a", "b", "c"])
    device.lost("a")
    assert (device.home, device.current, list(device.choices())) == ("a", "b", ["b", "c", "a"])
    assert device.lost_ingresses == {"a"}
    device.found("a")
    assert (device.current, device.lost_ingresses) == ("a", frozenset())


def test_with_all_lost_every_one_is_still_tried() -> None:
    device = Attachment(["a", "b"])
    device.lost("b")
    device.lost("a")
    assert list(device.choices()) == ["a", "b"]
