"""The environment, typed: which accounts, which database, which files.

Put every `BCNS_` variable here, what it defaults to and what is wrong with it. Do not put the merchant's
choices here (`config.py`), and nothing that is needed at import: importing this module reads nothing. Names
and meanings: design section 3; account hosts and keys: facts/netsuite.md 1.
"""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, overload
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.hooks import receiver_address
from bcns_pipeline.rules.pem import key_problem

PREFIX = "BCNS_"
BIGCOMMERCE_API = "https://api.bigcommerce.com"
STRIPE_API = "https://api.stripe.com"
PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - a path, not a token
# Natural keys are made of the store hash, so it keeps to their alphabet (design section 3).
_STORE_HASH = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Below this, a secret that opens a door to the internet can be guessed.
SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class BigCommerceAccount:
    """The store's API account. `base_url` is the API root without a trailing slash."""

    base_url: str
    store_hash: str
    access_token: SecretStr
    client_id: str | None
    client_secret: SecretStr | None


@dataclass(frozen=True, slots=True)
class NetSuiteAccount:
    """The account, and how to get a token. `base_url` has no trailing slash; `private_key` is PEM text."""

    account_id: str
    base_url: str
    client_id: str
    certificate_id: str
    private_key: SecretStr = field(repr=False)
    concurrency: int
    token_url: str


@dataclass(frozen=True, slots=True)
class StripeAccount:
    """A Stripe account to read payouts from. `base_url` is the API root without a trailing slash."""

    base_url: str
    api_key: SecretStr


def _whole_path(path: Path) -> Path:
    """Made absolute at once, because Dagster starts its processes in other working directories."""
    return path.expanduser().absolute()


def _one_word(secret: SecretStr) -> SecretStr:
    """A header can't carry blanks at its ends or line ends, which files of secrets often have."""
    value = secret.get_secret_value()
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("it may have only ASCII characters without blanks or line ends")
    return secret


def _at(*schemes: str, shape: str) -> AfterValidator:
    """An address of one of `schemes`. It may hold a secret, so the sentence shows nothing of it."""

    def sound(value: str | SecretStr) -> str | SecretStr:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        try:
            parts = urlsplit(text)
            good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or not text.isprintable() or " " in text:
            raise ValueError(f"write it as {shape}")
        return value

    return AfterValidator(sound)


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under an id that has no name
        return f"uid {os.getuid()}"


ProofDemand = Literal["required", "optional", "off"]
DoorSecret = Annotated[SecretStr, Field(min_length=SHORTEST_SECRET), AfterValidator(_one_word)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
_WEB = _at("https", "http", shape="https://host/path")
_MAIL = _at("smtp", "smtps", shape="smtp://user:password@host:587 or smtps://user:password@host:465")
LocalPath = Annotated[Path, AfterValidator(_whole_path)]
ReceiverAddress = Annotated[str, AfterValidator(receiver_address)]


class Settings(BaseSettings):
    """Every `BCNS_` variable, from the environment or a `.env` file. All are optional until required.

    Make it with `load_settings`, which turns malformed values into `faults`.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    bigcommerce_base_url: str = BIGCOMMERCE_API
    bigcommerce_store_hash: str | None = None
    bigcommerce_access_token: SecretStr | None = None
    bigcommerce_client_id: str | None = None
    bigcommerce_client_secret: SecretStr | None = None

    netsuite_account_id: str | None = None
    netsuite_base_url: str | None = None
    netsuite_client_id: str | None = None
    netsuite_certificate_id: str | None = None
    netsuite_private_key: SecretStr | None = None
    netsuite_private_key_path: LocalPath | None = None
    netsuite_concurrency: Annotated[int, Field(ge=1, le=1000)] = 4

    stripe_base_url: str = STRIPE_API
    stripe_api_key: SecretStr | None = None
    payout_drop_dir: LocalPath | None = None
    bank_drop_dir: LocalPath | None = None
    # Where the reports of a closed month are written; not set: `reports` under BCNS_HOME.
    report_dir: LocalPath | None = None

    # It holds a password, so it is not shown with the rest; SQLAlchemy hides it where it shows an address.
    database_url: str | None = Field(default=None, repr=False)
    data_key: SecretStr | None = None
    # Orders and shoppers as they were read, which hold personal data; not set: kept until a shopper is erased.
    keep_documents_days: Annotated[int, Field(ge=90)] | None = None
    home: LocalPath = Field(default=Path(".bcns"), validate_default=True)
    config: LocalPath = Field(default=Path("bcns.yaml"), validate_default=True)
    actor: str = Field(default_factory=_login_name)
    # The receiver of `bcns webhooks`. At least one of the three proofs must be there, and none may be wrong;
    # one that is required must be there (facts/bigcommerce.md 6.3).
    webhook_header_secret: DoorSecret | None = None
    webhook_header_name: HeaderName = "Authorization"
    webhook_header: ProofDemand = "optional"
    webhook_signature: ProofDemand = "optional"
    webhook_legacy_signature: ProofDemand = "optional"
    webhook_address_header: HeaderName | None = None
    # Where BigCommerce is to call; wins over intake.hooks.destination, so that two installations share a mapping.
    webhook_url: ReceiverAddress | None = None
    netsuite_event_token: DoorSecret | None = None
    # Where alerts go; a sink without its address is the log. The mail server's address may hold a password.
    slack_webhook_url: Annotated[SecretStr, _WEB] | None = None
    alert_webhook_url: Annotated[SecretStr, _WEB] | None = None
    pager_routing_key: SecretStr | None = None
    pager_url: Annotated[str, _WEB] = PAGERDUTY
    mail_server: Annotated[SecretStr, _MAIL] | None = None

    _faults: tuple[str, ...] = PrivateAttr(default=())

    @property
    def faults(self) -> tuple[str, ...]:
        """What was malformed at load: one sentence each. The field then holds its default."""
        return self._faults

    @overload
    def require(self, system: Literal["bigcommerce"]) -> BigCommerceAccount: ...
    @overload
    def require(self, system: Literal["netsuite"]) -> NetSuiteAccount: ...
    @overload
    def require(self, system: Literal["stripe"]) -> StripeAccount: ...
    @overload
    def require(self, system: str) -> BigCommerceAccount | NetSuiteAccount | StripeAccount: ...
    def require(self, system: str) -> BigCommerceAccount | NetSuiteAccount | StripeAccount:
        """The account of `system`, complete and well-formed. Reads the private key's file, nothing else.

        Raises BadInput that names everything missing or malformed at once, the faults of the load included.
        """
        match system:
            case "bigcommerce":
                return self._bigcommerce()
            case "netsuite":
                return self._netsuite()
            case "stripe":
                return self._stripe()
        raise ValueError(f"{system!r} is none of bigcommerce, netsuite and stripe")

    def require_store(self) -> str:
        """The store hash alone, for who needs no account. Raises BadInput, the faults of the load included."""
        faults = list(self._faults)
        store_hash = self._store_hash(faults)
        if faults:
            raise BadInput(faults)
        return store_hash

    def _store_hash(self, faults: list[str]) -> str:
        return _identifier(
            "BIGCOMMERCE_STORE_HASH",
            self.bigcommerce_store_hash,
            _STORE_HASH,
            "set it to the part of the API path after /stores/, e.g. abc123",
            faults,
        )

    def _bigcommerce(self) -> BigCommerceAccount:
        faults = list(self._faults)
        base_url = _address("BIGCOMMERCE_BASE_URL", self.bigcommerce_base_url, faults)
        store_hash = self._store_hash(faults)
        token = _secret(
            "BIGCOMMERCE_ACCESS_TOKEN",
            self.bigcommerce_access_token,
            "set it to the access token of a store-level API account",
            faults,
        )
        if faults:
            raise BadInput(faults)
        return BigCommerceAccount(
            base_url, store_hash, token, self.bigcommerce_client_id, self.bigcommerce_client_secret
        )

    def _netsuite(self) -> NetSuiteAccount:
        faults = list(self._faults)
        account = _identifier(
            "NETSUITE_ACCOUNT_ID",
            self.netsuite_account_id,
            _ACCOUNT_ID,
            "set it to the account id as under Setup > Company > Company Information, e.g. 1234567_SB1",
            faults,
        )
        base_url = _address("NETSUITE_BASE_URL", self.netsuite_base_url or account_address(account), faults)
        client_id = _text(
            "NETSUITE_CLIENT_ID",
            self.netsuite_client_id,
            "set it to the client id of the integration record",
            faults,
        )
        certificate_id = _text(
            "NETSUITE_CERTIFICATE_ID",
            self.netsuite_certificate_id,
            "set it to the certificate id that NetSuite shows in the OAuth 2.0 client credentials mapping",
            faults,
        )
        key = self._private_key(faults)
        if faults:
            raise BadInput(faults)
        return NetSuiteAccount(
            account_id=account,
            base_url=base_url,
            client_id=client_id,
            certificate_id=certificate_id,
            private_key=SecretStr(key),
            concurrency=self.netsuite_concurrency,
            token_url=f"{base_url}{TOKEN_PATH}",
        )

    def _stripe(self) -> StripeAccount:
        faults = list(self._faults)
        base_url = _address("STRIPE_BASE_URL", self.stripe_base_url, faults)
        mend = "set it to a restricted key that may read payouts, balance and charges, e.g. rk_live_..."
        api_key = _secret("STRIPE_API_KEY", self.stripe_api_key, mend, faults)
        if api_key.get_secret_value().startswith("pk_"):
            faults.append(f"{PREFIX}STRIPE_API_KEY is a publishable key, which can read nothing; {mend}.")
        if faults:
            raise BadInput(faults)
        return StripeAccount(base_url, api_key)

    def _private_key(self, faults: list[str]) -> str:
        """PEM text. The variable wins over the file: so a test double's key replaces a path in `.env`."""
        if self.netsuite_private_key is not None:
            # Many secret stores keep one line only and write line ends as \n.
            pem = self.netsuite_private_key.get_secret_value().replace("\\n", "\n").strip() + "\n"
            where = f"{PREFIX}NETSUITE_PRIVATE_KEY"
        elif self.netsuite_private_key_path is not None:
            path = self.netsuite_private_key_path
            where = f"{path} (from {PREFIX}NETSUITE_PRIVATE_KEY_PATH)"
            try:
                pem = path.read_text("ascii")
            except FileNotFoundError:
                faults.append(f"{where} does not exist; correct the path, or make a key with `bcns keygen`.")
                return ""
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is not a text file"
                faults.append(f"{where} can't be read ({why}); name a PEM file that this user may read.")
                return ""
        else:
            faults.append(
                f"{PREFIX}NETSUITE_PRIVATE_KEY or {PREFIX}NETSUITE_PRIVATE_KEY_PATH is missing; "
                "make a key with `bcns keygen` and set one of the two."
            )
            return ""
        problem = key_problem(pem)
        if problem:
            faults.append(f"{where} {problem}")
        return pem


def load_settings(env_file: Path | str | None = ".env") -> Settings:
    """Read the environment, and `env_file` for what the environment does not say.

    Never raises for what a person wrote: a malformed value is replaced by its default and kept as a
    sentence in `faults`, which `require` raises. So the code location loads, and the first step says what
    is wrong.
    """
    faults: list[str] = []
    replaced: dict[str, Any] = {}
    try:
        settings = _read(env_file, replaced)
    except UnicodeDecodeError:
        faults.append(f"{env_file} is not UTF-8 text; save it as such, or remove it.")
        env_file = None
        settings = _read(None, replaced)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False):
            name = str(detail["loc"][0])
            if name not in replaced:
                replaced[name] = Settings.model_fields[name].get_default(call_default_factory=True)
                faults.append(_malformed(name, detail["msg"]))
        settings = _read(env_file, replaced)
    settings._faults = tuple(faults)  # noqa: SLF001 - the one place that fills it
    return settings


def _read(env_file: Path | str | None, given: Mapping[str, Any]) -> Settings:
    return Settings(_env_file=env_file, **given)


def account_address(account_id: str) -> str:
    """NetSuite's own host of an account: `1234567_SB1` -> `https://1234567-sb1.suitetalk.api.netsuite.com`."""
    return f"https://{account_id.lower().replace('_', '-')}.suitetalk.api.netsuite.com"


def _malformed(name: str, why: str) -> str:
    if name == "netsuite_concurrency":
        return (
            f"{PREFIX}NETSUITE_CONCURRENCY is not a whole number from 1 to 1000; "
            "set it to our share of the account's concurrency, e.g. 4."
        )
    said = why.removeprefix("Value error, ").replace("Input should", "it should")
    return f"{PREFIX}{name.upper()} is malformed ({said}); correct or remove it."


def _text(name: str, value: str | None, mend: str, faults: list[str]) -> str:
    if value is None or not value.strip():
        faults.append(f"{PREFIX}{name} is missing; {mend}.")
        return ""
    if not value.strip().isprintable() or len(value.split()) > 1:
        faults.append(f"{PREFIX}{name} contains blanks or control characters; {mend}.")
    return value.strip()


def _secret(name: str, value: SecretStr | None, mend: str, faults: list[str]) -> SecretStr:
    return SecretStr(_text(name, value.get_secret_value() if value else None, mend, faults))


def _identifier(name: str, value: str | None, pattern: re.Pattern[str], mend: str, faults: list[str]) -> str:
    before = len(faults)
    text = _text(name, value, mend, faults)
    if len(faults) == before and not pattern.fullmatch(text):
        faults.append(f"{PREFIX}{name} may have only letters, digits, _ and -; {mend}.")
    return text


def _address(name: str, value: str, faults: list[str]) -> str:
    """The root of an API without a trailing slash. Plain http is allowed, because test doubles speak it."""
    text = value.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        sound = (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        parts, sound = None, False
    if parts is None or not sound or not text.isprintable() or " " in text:
        faults.append(f"{PREFIX}{name} is not an address; write it as https://host or http://host:port.")
    elif parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        faults.append(f"{PREFIX}{name} must be a bare API root; remove user, password, ? and # from it.")
    elif "/stores/" in f"{parts.path}/" or "/services/" in f"{parts.path}/":
        faults.append(
            f"{PREFIX}{name} must be the API root only; remove the path from /stores or /services on."
        )
    return text
