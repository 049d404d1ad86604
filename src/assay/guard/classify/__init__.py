"""Classifiers of texts as layers: the one that ships, one of the user's, and moderation APIs.

`windows` a text in overlapping windows of tokens · `windowed` a network over them · `classifier` the small
encoder that ships, with `facts` beside it · `local` a network of the user's, with `labels` that say what its
outputs are about · `moderation` asking a server.
"""

from assay.guard.classify.classifier import Classifier
from assay.guard.classify.local import LocalClassifier
from assay.guard.classify.moderation import ModerationApi

__all__ = ["Classifier", "LocalClassifier", "ModerationApi"]
