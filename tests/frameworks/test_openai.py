"""Model calls through Interlock by OpenAI's own client, and by frameworks that bring it, in an environment of their own."""

import pytest

from tests.frameworks.environments import named

NAME = "openai"


@pytest.mark.proves("relay.clients", "relay.stopped")
def test_a_base_url_and_a_key_is_all_that_changes() -> None:
    """OpenAI's client, synchronous and asynchronous, whole and streamed, and where a stream may not go on; three frameworks over
    it."""
    named(
        NAME,
        "test_chats_and_responses_whole_and_streamed",
        "test_a_stream_that_may_not_go_on_is_an_error_of_the_client",
        "test_frameworks_that_bring_the_client",
        "test_an_agent_with_tools_by_environment_alone",
        "test_answers_that_are_kept_at_the_provider",
    )


@pytest.mark.slow
@pytest.mark.proves("relay.clients")
def test_errors_and_tries_are_those_of_the_client() -> None:
    """Its own classes, and no more tries than cost nothing."""
    named(NAME, "test_errors_are_those_of_the_client", "test_a_client_that_tries_again_counts_no_more_than_it_asks")


@pytest.mark.slow
@pytest.mark.proves("relay.metered")
def test_bytes_bound_tokens() -> None:
    """With the vocabularies of OpenAI's models, no text has more tokens than are reserved for it."""
    named(NAME, "test_bytes_bound_what_their_tokenizers_count")
