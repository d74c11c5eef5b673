"""What may be asked of an encoder."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

Numbers = Literal["raw", "standard", "quantile"]
Missing = Literal["keep", "impute"]
Categories = Literal["codes", "onehot", "target", "frequency"]


@dataclass(frozen=True)
class FeatureOptions:
    """Engineered columns, found on the rows learned from.

    Mean targets are off unless asked for: with LightGBM on three quarters of the training rows, scored on the rest, 20
    columns of each kind gave, from none to pairs / aggregates / targets with crosses, rmse of log fare 0.198 to 0.151 /
    0.198 / 0.201 (taxis_fare), of log value 0.226 to 0.213 / 0.223 / 0.229 (california_housing), log-loss 0.468 to
    0.475 / 0.458 / 0.485 (telco_churn), 0.289 to 0.292 / 0.289 / 0.305 (adult). The values of a group in different
    inner folds give away the folds' own means, and trees find them; prefixes in place of folds were no better.

    Attributes:
        most: columns that are kept, best first; 0 for none.
        pairs: sums, differences, products and quotients of two numbers, differences of two dates.
        aggregates: numbers by their mean and deviation within a group of rows, and against that mean.
        targets: groups by their mean target.
        crosses: groups by two columns, by their frequency and their mean target.
    """

    most: int = 0
    pairs: bool = True
    aggregates: bool = True
    targets: bool = False
    crosses: bool = False


@dataclass(frozen=True)
class EncoderOptions:
    """How the columns of a table become the float32 columns of a model.

    Attributes:
        numbers: "raw" as they are, "standard" with mean 0 and deviation 1, "quantile" bent to a normal distribution.
            "standard" and "quantile" hold for all that is a quantity: dates, target means and frequencies as well.
        missing: "keep" gives NaN; "impute" the median and a column of ones where the rows learned from have gaps, and
            missing and unseen categories a code of their own.
        categories: "codes" 0 … k-1 by frequency, "onehot" a column each, "target" the mean target, "frequency" the log
            of their share.
        most_onehot: categories of a column that have a column of their own; the others share one.
        rare: categories with fewer rows than this are one.
        texts: words and pairs of words of each column of text that become a column (TF-IDF); 0 for none. Its length
            and number of words always do.
        dates: "parts" gives year, month, day and so on, those that vary.
        clip: standardised numbers lie within so many deviations.
        features: engineered columns; none by default.
    """

    numbers: Numbers = "raw"
    missing: Missing = "keep"
    categories: Categories = "codes"
    most_onehot: int = 30
    rare: int = 3
    texts: int = 100
    dates: Literal["parts"] = "parts"
    clip: float = 8.0
    features: FeatureOptions = field(default_factory=FeatureOptions)

    def to_json(self) -> dict[str, Any]:
        """Return the options as JSON values, for the key of a cache."""
        return dataclasses.asdict(self)
