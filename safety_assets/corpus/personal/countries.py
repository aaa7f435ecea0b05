"""National ids of persons, country by country: how they are written and which check tells one from another number."""

from collections.abc import Callable
from dataclasses import dataclass

from stdnum.ar import cuit
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.bg import egn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cl import rut
from stdnum.cn import ric
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.exceptions import ValidationError
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.gr import amka
from stdnum.ie import pps
from stdnum.il import idnr as teudat_zehut
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.th import pin
from stdnum.tr import tckimlik
from stdnum.us import itin
from stdnum.za import idnr as za_idnr

IsValid = Callable[[str], bool]


@dataclass(frozen=True)
class Form:
    """An id that is reported wherever it stands.

    Args:
        name: what the evidence calls it.
        pattern: how it is written.
        is_valid: its check.
    """

    name: str
    pattern: str
    is_valid: IsValid


@dataclass(frozen=True)
class Named:
    """An id that is reported only after one of its names, in any grouping.

    Args:
        name: what the evidence calls it.
        names: pattern of what may stand before it.
        digits: how many it has.
        is_valid: its check.
    """

    name: str
    names: str
    digits: int
    is_valid: IsValid


def _by_form(_number: str) -> bool:
    return True


def _is_resident_id(number: str) -> bool:
    """Check digit and birth date (GB 11643). The places that python-stdnum knows are not all, so they are not asked."""
    try:
        return ric.calc_check_digit(number) == number[-1].upper() and bool(ric.get_birth_date(number))
    except ValidationError:
        return False


FORMS = (
    Form("French NIR", r"[1278] ?\d\d ?[0-9]\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", nir.is_valid),
    Form("Chinese resident id", r"[1-8]\d{5}(?:19|20)\d{9}[\dXx]", _is_resident_id),
    Form("German tax id", r"[1-9]\d(?: \d{3} \d{3} \d{3}|\d{9})", idnr.is_valid),
    Form("Spanish DNI", r"\d{8}-?[A-Za-z]|\d\d\.\d{3}\.\d{3}-?[A-Z]", dni.is_valid),
    Form("Spanish NIE", r"[XYZxyz]-?\d{7}-?[A-Za-z]", nie.is_valid),
    Form(
        "Italian codice fiscale",
        # of two persons with the same code one has letters for digits
        r"[A-Z]{3} ?[A-Z]{3} ?[\dLMNP-V]{2}[A-EHLMPRST][\dLMNP-V]{2} ?[A-Z][\dLMNP-V]{3}[A-Z]"
        r"|(?i:[A-Z]{3} ?[A-Z]{3} ?\d\d[A-EHLMPRST]\d\d ?[A-Z]\d{3}[A-Z])",
        codicefiscale.is_valid,
    ),
    Form("Mexican CURP", r"(?i:[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d)", curp.is_valid),
    Form("Brazilian CPF", r"\d{3}\.\d{3}\.\d{3}-\d\d", cpf.is_valid),
    Form("Belgian national number", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", nn.is_valid),
    Form("Swedish personnummer", r"(?:19|20)?\d{6}[-+]\d{4}", personnummer.is_valid),
    Form("Finnish HETU", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", hetu.is_valid),
    Form("Norwegian fødselsnummer", r"[0-7]\d{5} ?\d{5}", fodselsnummer.is_valid),
    Form("Swiss AHV number", r"756\.\d{4}\.\d{4}\.\d\d", ahv.is_valid),
    Form("Korean RRN", r"\d{6}-\d{7}", rrn.is_valid),
    Form("Czech or Slovak birth number", r"\d{6}/\d{4}", rc.is_valid),
    Form("Chilean RUT", r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]", rut.is_valid),
    Form("Argentine CUIL", r"2[0347]-\d{8}-\d", cuit.is_valid),
    Form("Thai PIN", r"[1-8]-\d{4}-\d{5}-\d\d-\d", pin.is_valid),
    Form("US ITIN", r"9\d\d-[5-9]\d-\d{4}", itin.is_valid),
    # no public checksum: the form is strict instead
    Form(
        "UK NINO",
        r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
        _by_form,
    ),
    Form("Indian PAN of a person", r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", _by_form),
)

NAMED = (
    Named("UK NHS number", "(?i:nhs)", 10, nhs.is_valid),
    Named("Indian Aadhaar", "(?i:aadhaa?r|uidai)|आधार", 12, aadhaar.is_valid),
    Named("Canadian SIN", "SIN|(?i:sin (?:number|no)|social insurance|assurance sociale)", 9, sin.is_valid),
    Named("Polish PESEL", "(?i:pesel)", 11, pesel.is_valid),
    Named("Dutch BSN", "(?i:bsn|burgerservice(?:nummer|nr)|sofi-?nummer)", 9, bsn.is_valid),
    Named("Brazilian CPF", "(?i:cpf)", 11, cpf.is_valid),
    Named("Belgian national number", "(?i:rijksregister(?:nummer|nr)?|registre national)", 11, nn.is_valid),
    Named("Swedish personnummer", "(?i:personnummer|personal identity number)", 10, personnummer.is_valid),
    Named("Swiss AHV number", "AHV|AVS", 13, ahv.is_valid),
    Named("Argentine CUIL", "CUI[LT]", 11, cuit.is_valid),
    Named("US ITIN", "ITIN", 9, itin.is_valid),
    Named("Turkish id", "(?i:kimlik(?: no| numaras)?|tckn)", 11, tckimlik.is_valid),
    Named("South African id", "(?i:(?:south african|sa|rsa) id)", 13, za_idnr.is_valid),
    Named("Australian TFN", "TFN|(?i:tax file)", 9, tfn.is_valid),
    Named("Romanian CNP", "CNP|(?i:cod numeric personal)", 13, cnp.is_valid),
    Named("Bulgarian EGN", "ЕГН|EGN", 10, egn.is_valid),
    Named("Greek AMKA", "ΑΜΚΑ|AMKA", 11, amka.is_valid),  # noqa: RUF001
    Named("Israeli id", '(?i:teudat zehut)|ת"?ז|תעודת זהות', 9, teudat_zehut.is_valid),
    Named("Portuguese NIF", "NIF|(?i:contribuinte)", 9, nif.is_valid),
    Named("Irish PPS number", "PPSN?", 7, pps.is_valid),
)
