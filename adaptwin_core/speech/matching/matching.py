"""Finds by names which recording each claim means. In doubt, a text is not used."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from adaptwin_core.speech.annotations import Annotation, Claim
from adaptwin_core.speech.files.sources import label
from adaptwin_core.speech.folder_splits import splits_by_folder
from adaptwin_core.speech.matching.agreement import Rank, Remark, agreed_annotation, says_anything, share
from adaptwin_core.speech.matching.foreign_folder import Fit, Moves, fit
from adaptwin_core.speech.matching.nearest_files import NamedFile, NearestFiles, Nearness, equally_alike
from adaptwin_core.speech.matching.same_recording import groups_by_name, may_be_one
from adaptwin_core.speech.matching.target import Folder, Target, target_of
from adaptwin_core.speech.notices import Notices


def match(
    claims: Sequence[Claim], audio_names: Sequence[str], refused_names: Sequence[str], notices: Notices
) -> dict[str, Annotation]:
    """Return what is known of each audio file that something is known of.

    A claim means the nearest file of its name: in the claimed folder, else under the transcript file's own folder, else
    where most folders at the end of both paths agree. Of two claims on a file the nearer one counts, then the one of a
    sidecar. What is known of one encoding of a recording holds for all. If no claim gives a split, folder names do.

    Args:
        audio_names: labels of the files that will be decoded.
        refused_names: labels of files that are not transcripts and are not used: they keep what is said of them.
    """
    only_refused = set(refused_names) - set(audio_names)
    groups = groups_by_name([*audio_names, *only_refused])
    said = _said(claims, NearestFiles(audio_names, sorted(only_refused)), groups, set(audio_names), notices)
    annotations = {name: agreed_annotation(name, remarks, notices) for name, remarks in sorted(said.items())}
    annotations = {
        name: annotation
        for name, annotation in annotations.items()
        if annotation != Annotation() or not says_anything(said[name])
    }
    for group in groups:
        share(annotations, group)
    folder_splits = splits_by_folder(audio_names)
    for name in audio_names:
        annotation = annotations.get(name, Annotation())
        if annotation.split is None and name in folder_splits:
            annotations[name] = replace(annotation, split=folder_splits[name])
    return {name: annotations[name] for name in sorted(annotations.keys() & set(audio_names))}


@dataclass(frozen=True)
class _Reading:
    """The files that a claim may mean."""

    claim: Claim
    target: Target
    nearness: Nearness
    certain: tuple[NamedFile, ...]
    where_moved: tuple[NamedFile, ...]


def _said(
    claims: Sequence[Claim],
    files: NearestFiles,
    groups: Sequence[tuple[str, ...]],
    used: set[str],
    notices: Notices,
) -> dict[str, list[Remark]]:
    """Return the claims on each file."""
    readings = [_reading(claim, files) for claim in claims]
    moves = Moves()
    texted: set[Folder] = set()  # folders in which sidecars lie beside their recordings
    for reading in readings:
        if reading.claim.is_sidecar:
            texted |= {file.folder for file in reading.certain if reading.nearness.is_exact}
        else:
            moves.note(reading.target, (*reading.certain, *reading.where_moved), reading.nearness)
    group_of = {name: group for group in groups for name in group}
    said: dict[str, list[Remark]] = defaultdict(list)
    for reading in readings:
        meant = [*reading.certain, *(file for file in reading.where_moved if moves.is_one(reading.target, file))]
        if not reading.nearness.is_inside or (reading.claim.is_sidecar and not reading.nearness.is_exact):
            meant = [file for file in meant if file.folder not in texted]
        if not meant:
            notices.warn("transcript_without_audio", _shown(reading.claim))
            continue
        meant = _one_recording(meant, reading.target, group_of)
        if not meant:
            notices.warn("ambiguous_transcript", _shown(reading.claim))
        elif used.isdisjoint(name for file in meant for name in group_of.get(file.name, (file.name,))):
            notices.warn("transcript_without_audio", _shown(reading.claim))
        for file in meant:
            rank = Rank(reading.nearness, reading.claim.is_sidecar, file.likeness(reading.target))
            said[file.name].append(Remark(rank, reading.claim))
    return said


def _reading(claim: Claim, files: NearestFiles) -> _Reading:
    target = target_of(claim)
    nearest, nearness = files.find(target)
    judged = [(fit(target, file, files, is_sidecar=claim.is_sidecar), file) for file in nearest]
    certain = tuple(file for answer, file in judged if answer is Fit.YES)
    moved = tuple(file for answer, file in judged if answer is Fit.WHERE_MOVED)
    return _Reading(claim, target, nearness, certain, moved)


def _one_recording(files: list[NamedFile], target: Target, group_of: dict[str, tuple[str, ...]]) -> list[NamedFile]:
    """Return the files of the recording that is meant, or none where several recordings may be."""
    alike = equally_alike(files, target)
    if len({file.folder for file in files}) > 1 and may_be_one([file.name for file in files]):
        return files
    are_one = len(alike) == 1 or len({group_of.get(file.name, (file.name,)) for file in alike}) == 1
    return alike if are_one else []


def _shown(claim: Claim) -> str:
    return label(f"{claim.folder}/{claim.key}")
