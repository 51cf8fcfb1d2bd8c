"""What can be wrong with the data a user brings, one or two classes a stage.

A `HumayError` says where, what was found and what was expected; the command line prints it in one
line and exits with 1. A caller's mistake in Python is a `ValueError`.
"""


class HumayError(Exception):
    """Bad data that a user can mend."""


class TableError(HumayError):
    """A reference table (Earth orientation, geoid, relief) is damaged or does not reach so far."""


class MissionError(HumayError):
    """A mission file, camera, satellite or station that cannot be."""


class RequestError(HumayError):
    """A request that cannot be read, placed or met in principle."""


class OrbitError(HumayError):
    """Elements or an orbit definition that cannot be propagated over the wanted span."""


class TleError(OrbitError):
    """A two-line element set that is not one."""


class AccessError(HumayError):
    """Opportunities, contacts or a timeline that do not fit the mission or the span."""


class PlanError(HumayError):
    """A plan file, or the input of one, that cannot be used."""


class SpacecraftError(HumayError):
    """A plan that cannot be flown, or flight records that cannot be read."""


class SensorError(HumayError):
    """An image, or the model of its sensor, that cannot be used."""


class ImagingError(HumayError):
    """A scene or an exposure that cannot be."""


class ProcessingError(HumayError):
    """An image that cannot be made into a product: a DEM that does not cover, a missing band."""


class CatalogueError(HumayError):
    """A STAC item or a catalogue that cannot be used."""


class QualityError(HumayError):
    """A product that cannot be measured."""


class OutputError(HumayError):
    """Results that could not be written whole."""
