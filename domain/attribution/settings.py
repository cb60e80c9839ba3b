"""How an excess return is divided, and how periods are added up."""

from enum import StrEnum

from domain.records import dataclass


class AttributionModel(StrEnum):
    """What the allocation to a group is measured against."""

    BRINSON_FACHLER = "BRINSON_FACHLER"  # the return of the whole benchmark (Brinson and Fachler 1985)
    BRINSON_HOOD_BEEBOWER = "BRINSON_HOOD_BEEBOWER"  # zero (Brinson, Hood and Beebower 1986)


class Linking(StrEnum):
    """How the effects of periods become those of the whole span."""

    CARINO = "CARINO"
    MENCHERO = "MENCHERO"
    GRAP = "GRAP"
    GEOMETRIC = "GEOMETRIC"


@dataclass(frozen=True, slots=True)
class AttributionSettings:
    """The model, the linking, and whether interaction is apart from selection."""

    model: AttributionModel = AttributionModel.BRINSON_FACHLER
    linking: Linking = Linking.CARINO
    separate_interaction: bool = False
