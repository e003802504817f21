import pytest

from inspector.views.secrets import is_secret, masked


@pytest.mark.parametrize(
    "name",
    [
        "authorization", "Authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-goog-api-key",
        "x-auth-token", "x-amz-security-token", "x-session-token-bin", "client-secret", "db-password", "x-apikey",
        "token", "x-csrf_token",
    ],
)  # fmt: skip
def test_names_of_credentials_are_known(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", [None, "", ":path", "content-type", "user-agent", "x-request-id", "x-keyboard", "tokens-left", "x-monkey"]
)
def test_other_names_are_not_taken_for_credentials(name):
    assert not is_secret(name)


def test_the_scheme_of_an_authorization_stays():
    headers = (("authorization", "Bearer abc"), ("authorization", "basic eHg="), ("authorization", "abc"))
    assert [value for _, value in masked(headers)] == ["Bearer <masked>", "basic <masked>", "<masked>"]


def test_other_headers_stay_as_they_are():
    headers = (("x-a", "1"), ("x-api-key", "2"), (None, None), ("cookie", None), ("x-a", "3"))
    assert list(masked(headers)) == [
        ("x-a", "1"),
        ("x-api-key", "<masked>"),
        (None, None),
        ("cookie", None),
        ("x-a", "3"),
    ]


def test_secrets_are_shown_when_asked_for():
    headers = (("x-api-key", "2"),)
    assert masked(headers, show_secrets=True) == headers
