"""A book by level that is obviously right: one dictionary per side, sorted when asked."""

from twosided.market.ladder import ASK, BID


class NaiveLadder:
    """The same interface as `twosided.market.ladder.Ladder`."""

    def __init__(self):
        self.sides = {BID: {}, ASK: {}}

    def set(self, side, ticks, lots):
        before = self.sides[side].pop(ticks, 0)
        if lots:
            self.sides[side][ticks] = lots
        return before

    def lots(self, side, ticks):
        return self.sides[side].get(ticks, 0)

    def clear(self, side=0):
        for each in (BID, ASK) if side == 0 else (side,):
            self.sides[each].clear()

    def depth(self, side, levels=None):
        return sorted(self.sides[side].items(), reverse=side == BID)[:levels]

    def best(self, side):
        return next((ticks for ticks, _ in self.depth(side, 1)), None)

    @property
    def best_bid(self):
        return self.best(BID)

    @property
    def best_ask(self):
        return self.best(ASK)

    @property
    def mid(self):
        return None if None in {self.best_bid, self.best_ask} else (self.best_bid + self.best_ask) / 2

    @property
    def spread(self):
        return None if None in {self.best_bid, self.best_ask} else self.best_ask - self.best_bid
