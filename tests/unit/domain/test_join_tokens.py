"""How a join token looks; who may use one is in the state stores' contract suite."""

import pytest

from edgemind.domain.join_tokens import TOKEN_BYTES, JoinRefused, hash_token, new_token


def test_a_token_is_made_of_unguessable_bytes_and_kept_as_its_hash() -> None:
    token = new_token(bytes(range(TOKEN_BYTES)))
    assert token == "ej_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
    assert len(hash_token(token)) == 64
    assert hash_token(new_token(bytes(TOKEN_BYTES))) != hash_token(token)


def test_too_little_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="24 random bytes"):
        new_token(b"short")


@pytest.mark.parametrize("text", ["", "em_0123", "ej_" + "a" * 31, "ej_" + "a" * 33, "ej_" + "\u00fc" * 32, "ej_a b"])
def test_what_is_no_token_is_told_so(text: str) -> None:
    with pytest.raises(JoinRefused, match="copy the whole of it"):
        hash_token(text)
