"""What a run of training is told: a TOML file with a table for each part."""

from .file import read_config, to_tables
from .parts import (
    Base,
    Clips,
    Conditions,
    Saving,
    Training,
    TrainingMachine,
    TrainingSpec,
    Validation,
)

__all__ = [
    "Base",
    "Clips",
    "Conditions",
    "Saving",
    "Training",
    "TrainingMachine",
    "TrainingSpec",
    "Validation",
    "read_config",
    "to_tables",
]
