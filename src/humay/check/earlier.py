"""What a plan file records, image by image and look by look, for those who hold one plan against
another."""

from __future__ import annotations

from typing import Any

from humay.check.case import CalibrationLook, Json, Recorded


def images_of(plan: Json) -> list[Json]:
    """Acquisitions and calibration looks of a plan. A look has a due date for its request, and for
    its strip."""
    images: list[Json] = list(plan["acquisitions"])
    for due in plan.get("calibrations", ()):
        if due["look"] is not None:
            image: dict[str, Any] = dict(due["look"])
            image["satellite"] = due["satellite"]
            image["request"] = image["strip"] = due["name"]
            images.append(image)
    return images


def asked_of(image: Recorded) -> tuple[str, str]:
    """Request and strip of an image, which of a look are both its due date."""
    if isinstance(image, CalibrationLook):
        return image.due["name"], image.due["name"]
    return image.request.name, image.entry["strip"]


def counts_from(plan: Json) -> str:
    """Where the cadences of a plan begin of which the mission does not say it: with the first plan
    of its chain."""
    begin: str = plan.get("previous", {}).get("counted_from", plan["start"])
    return begin


def made_before(plan: Json) -> dict[str, str]:
    """What plans before have imaged, by request, with its end."""
    return {each["request"]: each["end"] for each in plan.get("previous", {}).get("imaged", ())}
