"""Believable Salesforce records, the same ones for the same seed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.demo.objects import INDUSTRIES, STAGES
from pipeline.errors import ConfigurationError
from pipeline.proof.chance import chance

if TYPE_CHECKING:
    from pipeline.connect import Row, Value

_FIRST_DAY: Final = date(2026, 1, 1)
_EMPLOYEES: Final = (5, 20, 45, 120, 300, 800, 1500, 12_000)
_SMALL, _LARGE = (500, 8_000), (20_000, 900_000)  # amounts, well on either side of what a rule asks for


class People:
    """Makes records of one org; each has an external id that no other org gives."""

    def __init__(self, org: str, seed: int) -> None:
        try:
            from faker import Faker  # noqa: PLC0415  # it comes with the `embedded` extra only
        except ImportError as error:
            raise ConfigurationError("the demo needs Faker: pip install 'orgstream[embedded]'") from error
        self._org = org
        self._rng = chance(seed, f"data of {org}")
        self._faker = Faker("en_US")
        self._faker.seed_instance(f"{seed} {org}")
        self._numbers: dict[str, int] = {}

    def account(self) -> dict[str, Any]:
        """An account that the rules carry."""
        pick = self._rng.choice
        employees = round(pick(_EMPLOYEES) * self._rng.uniform(0.8, 1.2))
        return {
            "Name": self._faker.company()[:60],
            "Ext_Id__c": self._ext_id("A"),
            "Source_Org__c": self._org,
            "Phone": self._phone(),
            "Industry": pick((*INDUSTRIES, None)),
            "BillingCity": self._faker.city(),
            "BillingCountry": self._faker.country()[:60],
            "AnnualRevenue": float(round(employees * self._rng.uniform(40_000, 250_000), 2)),
            "NumberOfEmployees": float(employees),
            "Status__c": pick(("Active", "Active", "Active", "Prospect")),
            "Active__c": True,
            "Rating": pick(("Hot", "Warm", "Cold", None)),
        }

    def contact(self, account: str) -> dict[str, Any]:
        """A person of an account, which is named by its external id."""
        first, last = self._faker.first_name(), self._faker.last_name()
        number = self._ext_id("C")
        return {
            "FirstName": first,
            "LastName": last,
            "Ext_Id__c": number,
            "Source_Org__c": self._org,
            "Email": f"{first}.{last}.{number[-5:]}@Example.com",
            "Phone": self._phone(),
            "Title": self._rng.choice((self._faker.job()[:80], None)),
            "account__ext_id__c": account,
            "Account_Ext_Id__c": account,
        }

    def opportunity(self, account: str) -> dict[str, Any]:
        """A deal with an account; one in three is small."""
        bounds = self._rng.choice((_SMALL, _LARGE, _LARGE))
        return {
            "Name": f"{self._faker.catch_phrase()[:70]}",
            "Ext_Id__c": self._ext_id("O"),
            "Source_Org__c": self._org,
            "StageName": self._rng.choice(STAGES[:3]),
            "Amount": float(round(self._rng.uniform(*bounds), 2)),
            "CloseDate": _FIRST_DAY + timedelta(days=self._rng.randrange(365)),
            "account__ext_id__c": account,
            "Account_Ext_Id__c": account,
        }

    def turn(self, sobject: str, record: Row) -> dict[str, Value]:
        """What decides whether a rule carries a record, changed to something else."""
        if sobject == "Contact":
            return {"Opt_Out__c": not record.get("Opt_Out__c")}
        field, known = {
            "Account": ("Status__c", ("Active", "Prospect", "Inactive")),
            "Opportunity": ("StageName", (*STAGES, "Draft")),
        }[sobject]
        if sobject == "Opportunity" and self._rng.random() < 0.3:
            small = float(str(record["Amount"])) < _LARGE[0]
            return {"Amount": float(self._rng.randint(*(_LARGE if small else _SMALL)))}
        return {field: self._rng.choice([value for value in known if value != record[field]])}

    def new_values(self, sobject: str, record: Row, *, edit: int) -> dict[str, Value]:
        """What a user changes in a record: one to three fields, each to a value that it never had before."""
        fresh = self._fresh_values(sobject, record, edit)
        chosen = self._rng.sample(sorted(fresh), min(len(fresh), self._rng.choice((1, 1, 1, 2, 3))))
        return {field: fresh[field] for field in chosen}

    def _fresh_values(self, sobject: str, record: Row, edit: int) -> dict[str, Value]:
        phone = f"+1 555 {edit:07d}"
        if sobject == "Account":
            return {
                "Phone": phone,
                "BillingCity": f"{self._faker.city()} {edit}",
                "AnnualRevenue": float(edit * 1000 + self._rng.randrange(1000)),
            }
        if sobject == "Contact":
            return {
                "Phone": phone,
                "Title": f"{self._faker.job()[:80]} {edit}",
                "LastName": f"{self._faker.last_name()} {edit}",
            }
        large = float(str(record["Amount"])) >= _LARGE[0]
        return {
            "Name": f"{self._faker.catch_phrase()[:70]} {edit}",
            "Amount": float(_LARGE[0] + edit) if large else round(_SMALL[0] + edit % 700_000 / 100, 2),
        }

    def _phone(self) -> str:
        digits = self._rng.randrange
        return f"+{digits(1, 99)} {digits(100, 999)} {digits(10**6, 10**7)}"

    def _ext_id(self, letter: str) -> str:
        self._numbers[letter] = self._numbers.get(letter, 0) + 1
        return f"{self._org.upper()}-{letter}{self._numbers[letter]:05d}"
