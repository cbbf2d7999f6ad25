"""The loop of a simulation: for each path the market is made block by block, and every quoter lives through the same block.

Where you are in the pipe: all of it: events -> strategy -> venue -> fills -> ledger.

What happens in a step, from the mid m to the mid m':

1. the quoter sees m and its position and decides; what it decided `late` steps ago stands in the market;
2. a sniper takes a standing quote that the mid passes before a cancel can arrive: within latency a mid covers the jump of the step,
   and of the rest the share sqrt(latency / dt), at most all of it;
3. otherwise the step's orders fill it if they reach it, for the smaller of its size and theirs;
4. the position is marked at m'.

Money is a float here: distances from the mid are real numbers, nothing is settled, and 10,000 futures are no ledger. Sums run in
one fixed order, so results are the same to the last bit on any number of cores, compiled or interpreted.

The loop comes back where Python must decide for a strategy; all state lives in records, so that it can go on.
"""

import math
from typing import Any

from twosided._compile import compiled, table_at, words_at
from twosided._random import Purpose, exponential_of, stream_of, stream_word
from twosided.engines.montecarlo_flow import fill_marks, is_reached
from twosided.engines.montecarlo_mid import fill_mids
from twosided.engines.montecarlo_together import asker_at, follow_together, show_signals_at
from twosided.engines.montecarlo_world import (
    CELL,
    QUOTER,
    STANDING,
    TABULATED,
    buys_of,
    fee_of,
    jumps_of,
    mids_of,
    sells_of,
    time_of,
)
from twosided.signals.by_name import SIGNALS_OF_MARKET
from twosided.strategies.contract import HEADER, MARKET_VIEW, QUOTE, ask_ticks, bid_ticks

__all__ = ["DONE", "advance"]

DONE = -1
"""What `advance` returns when all paths are done; 0 or more is the quoter for whom Python must decide."""

head_of = table_at(QUOTER, "row", HEADER, (1,))
market_of = table_at(QUOTER, "row", MARKET_VIEW, (1, 1), row=("row_bytes", "market_offset"))
quote_of = table_at(QUOTER, "row", QUOTE, (1, 2, "levels"), row=("row_bytes", "quotes_offset"))
tabulated_of = table_at(QUOTER, "tabulated", TABULATED, ("places",))
captured_of = table_at(QUOTER, "tabulated", CELL, ("cells",))
standing_of = table_at(QUOTER, "standing", STANDING, ("slots", 2, "levels"))
row_words = words_at(QUOTER, "row")
template_words = words_at(QUOTER, "template")
signal_words = words_at(QUOTER, "signal_state")
_SIGNAL_WORDS = SIGNALS_OF_MARKET.itemsize // 8

_MID, _JUMP, _VARIANCE = int(Purpose.MID), int(Purpose.MID_JUMP), int(Purpose.MID_VARIANCE)
_SELL, _BUY, _SIZE, _INFORMED = (
    int(Purpose.SELL_ORDERS),
    int(Purpose.BUY_ORDERS),
    int(Purpose.ORDER_SIZE),
    int(Purpose.INFORMED),
)


# ---------------------------------------------------------------- counting


def _mark(q: Any, lot_size: float, gain: float, move: float) -> None:
    """Book what a step brought: *gain* from its fills, and the *move* of the mid on what is held after them."""
    position = q.position
    change = gain + position * lot_size * move
    q.pnl += change
    q.squares += change * change
    q.peak = max(q.peak, q.pnl)
    q.drawdown = max(q.drawdown, q.peak - q.pnl)
    held = abs(position)
    q.held += held
    q.most_held = max(q.most_held, held)


mark_step = compiled(_mark, inline=True)


# ---------------------------------------------------------------- the textbook: a table, and nothing in the way


# A branch that depends on a random number is often guessed wrongly, which costs more than all else in a step. The compiler makes
# one wherever a fill chooses between numbers, or multiplies them; looking up what it brings leaves the compiler no choice.

_WIDTH, _NOTHING = TABULATED.itemsize // 8, 2  # numbers in each place of a table, and where in it those begin that are captured


def _follow_textbook(w: Any, q: Any) -> None:
    """Do what `_follow` does where nothing is in the way: no latency, ticks, snipers or sizes of orders.

    It takes a fraction of the time; a test holds the two equal.
    """
    mids, sells, buys = mids_of(w), sells_of(w), buys_of(w)
    size, slices = q.quote_lots * w.lot_size, q.slices
    fee_rate, fee_per_quote = size * w.fee_rate, q.quote_lots * w.fee_per_lot
    costs = fee_rate != 0.0 or fee_per_quote != 0.0
    pnl, squares, fees, peak, drawdown = q.pnl, q.squares, q.fees, q.peak, q.drawdown
    position, fills, held, most_held, quoted = q.position // q.quote_lots, 0, 0, 0, 0
    spread, adverse, quoted_spread = 0.0, 0.0, 0.0
    stride, place = min(slices - 1, 1), (q.bound + position) * slices + min(w.step, slices - 1)
    for i in range(w.count):
        quotes = tabulated_of(q, place)
        bought, sold = 1 if sells[i] < quotes.bid_reach else 0, 1 if buys[i] < quotes.ask_reach else 0
        captured = captured_of(q, _WIDTH * place + _NOTHING + bought + 2 * sold).number
        mid, net = mids[i], bought - sold
        move = mids[i + 1] - mid
        if abs(position) < q.both_sides:
            quoted += 1
            quoted_spread += quotes.both
        place += stride + net * slices
        position += net
        spread += captured
        adverse += net * move
        fills += bought + sold
        change = size * (captured + position * move)
        if costs:
            fee = bought * (abs(mid - quotes.bid) * fee_rate + fee_per_quote)
            fee += sold * (abs(mid + quotes.ask) * fee_rate + fee_per_quote)
            fees += fee
            change -= fee
        pnl += change
        squares += change * change
        peak = max(peak, pnl)
        drawdown = max(drawdown, peak - pnl)
        most = abs(position)
        held += most
        most_held = max(most_held, most)
    q.pnl, q.squares, q.fees, q.peak, q.drawdown = pnl, squares, fees, peak, drawdown
    q.position = position * q.quote_lots
    q.spread += size * spread
    q.adverse += size * adverse
    q.fills += fills
    q.volume += fills * q.quote_lots
    q.held += held * q.quote_lots
    q.most_held = max(q.most_held, most_held * q.quote_lots)
    q.quoted += quoted
    q.quoted_spread += quoted_spread


follow_textbook = compiled(_follow_textbook)


# ---------------------------------------------------------------- anything else


def _show(w: Any, q: Any, now_ns: int, mid: float) -> None:
    """Fill the strategy's row with what it may see: the mid to a quarter of a tick, between a bid and an ask of one lot each."""
    head, market = head_of(q, 0), market_of(q, 0, 0)
    head.now_ns = now_ns
    half = int(math.floor(2.0 * mid / market.tick_size + 0.5))  # the mid in half-ticks
    market.bid_ticks = (half - 1) >> 1
    market.ask_ticks = (half + 2) >> 1
    market.book_ns = now_ns
    market.position_lots = q.position
    market.cash = q.pnl - q.position * w.lot_size * mid
    if q.n_signals > 0:
        show_signals_at(q.show_signals)(q, now_ns, market.bid_ticks, market.ask_ticks)


show = compiled(_show, inline=True)


def _take_down(q: Any, slot: int) -> None:
    """Note a strategy's quotes in one of the slots of what is on its way or stands."""
    market = market_of(q, 0, 0)
    for side in range(2):
        working = 0
        for level in range(q.levels):
            quote, noted = quote_of(q, 0, side, level), standing_of(q, slot, side, level)
            noted.price, noted.lots = quote.ticks * market.tick_size, quote.lots
            working += quote.lots
        if side == 0:
            market.working_bid_lots = working
        else:
            market.working_ask_lots = working


take_down = compiled(_take_down, inline=True)


def _look_up(w: Any, q: Any, slot: int, step: int, mid: float) -> None:
    """Note the quotes of a table for the present inventory."""
    inventory = int(math.floor(q.position / q.quote_lots + 0.5))
    place = (min(max(inventory, -q.bound), q.bound) + q.bound) * q.slices + min(step, q.slices - 1)
    quotes = tabulated_of(q, place)
    bid, ask = mid - quotes.bid, mid + quotes.ask
    if w.tick_size > 0.0:
        bid, ask = bid_ticks(bid / w.tick_size) * w.tick_size, ask_ticks(ask / w.tick_size) * w.tick_size
    buy, sell = standing_of(q, slot, 0, 0), standing_of(q, slot, 1, 0)
    buy.price, buy.lots = bid, q.quote_lots if quotes.bid_reach >= 0 else 0
    sell.price, sell.lots = ask, q.quote_lots if quotes.ask_reach >= 0 else 0


look_up = compiled(_look_up, inline=True)


def _order_lots(w: Any, step: int, side: int) -> int:
    """Return the size of the orders of a step that meet bids (side 0) or asks (side 1): geometric, at least one lot."""
    return 1 + int(exponential_of(stream_word(w.size_stream, 2 * step + side)) / -w.size_decay)


order_lots = compiled(_order_lots)


def _fill(w: Any, q: Any, sign: int, price: float, lots: int, distance: float, move: float) -> float:
    """Book a fill (*sign* 1: bought, -1: sold); return what it gained at the mid, its fee taken off."""
    size, fee = lots * w.lot_size, fee_of(w, price, lots)
    q.position += sign * lots
    q.fills += 1
    q.volume += lots
    q.fees += fee
    q.spread += size * distance
    q.adverse += sign * size * move
    if q.tabled == 0:
        market = market_of(q, 0, 0)
        market.trade_ticks = int(math.floor(price / market.tick_size + 0.5))
        market.trade_lots, market.trade_side = lots, -sign
    return float(size * distance - fee)


fill = compiled(_fill, inline=True)


def _meet(w: Any, q: Any, slot: int, side: int, step: int, mid: float, move: float, reached: float, mark: int) -> float:
    """Let snipers and the orders of a step meet the quotes of one side; return what was gained at the mid *mid*, fees taken off."""
    gain, left, sign = 0.0, -1, 1 - 2 * side
    for level in range(q.levels):
        quote = standing_of(q, slot, side, level)
        price, lots = quote.price, min(quote.lots, q.limit_lots - sign * q.position)
        if lots <= 0:
            continue
        distance = sign * (mid - price)
        if w.snipers == 1 and sign * (price - reached) > 0.0:
            q.sniped += 1
        elif is_reached(w, mark, distance):
            if w.size_decay != 0.0:
                if left < 0:
                    left = order_lots(w, step, side)
                lots = min(lots, left)
                left -= lots
                if lots == 0:
                    break
        else:
            continue
        gain += fill(w, q, sign, price, lots, distance, move)
    return gain


meet = compiled(_meet, inline=True)


def _note_trace(q: Any, bid: Any, ask: Any, mid: float, row: Any) -> None:
    """Keep a step for pictures; the columns are `TRACE`."""
    row[0], row[3], row[4] = mid, q.position, q.pnl
    row[1] = bid.price if bid.lots > 0 else math.nan
    row[2] = ask.price if ask.lots > 0 else math.nan


note_trace = compiled(_note_trace)


def _follow(w: Any, q: Any, trace: Any) -> bool:
    """Live through a block, or up to a decision that Python must take: then return True, and go on at the next call."""
    mids, jumps, sells, buys = mids_of(w), jumps_of(w), sells_of(w), buys_of(w)
    while q.i < w.count:
        i = q.i
        step, mid = w.step + i, mids[i]
        slot = step % q.slots if q.slots > 1 else 0
        if q.tabled == 1:
            look_up(w, q, slot, step, mid)
        else:
            if q.answered == 0:
                show(w, q, time_of(w, step), mid)
                if q.address == 0:
                    q.answered = 1
                    return True
                asker_at(q.address)(q, 1)
            q.answered = 0
            take_down(q, slot)
        if q.slots > 1:
            slot = (step + 1) % q.slots  # the oldest: what was decided as many steps ago as latency has
        move = mids[i + 1] - mid
        reached = mid
        if w.snipers == 1:
            reached = mid + w.stale_share * (move - jumps[i]) + w.stale_jumps * jumps[i]
        bid, ask = standing_of(q, slot, 0, 0), standing_of(q, slot, 1, 0)
        if bid.lots > 0 and ask.lots > 0:
            q.quoted += 1
            q.quoted_spread += ask.price - bid.price
        if w.path < trace.shape[0]:
            note_trace(q, bid, ask, mid, trace[w.path, w.quoter, step])
        gain = meet(w, q, slot, 0, step, mid, move, reached, sells[i])
        gain += meet(w, q, slot, 1, step, mid, move, reached, buys[i])
        mark_step(q, w.lot_size, gain, move)
        q.i += 1
    return False


follow = compiled(_follow)


# ---------------------------------------------------------------- paths


def _begin_path(w: Any, quoters: Any, lane: int) -> None:
    """Set the market and every quoter to the beginning of a path."""
    path = w.first_path + w.path
    w.mid_stream = stream_of(w.seed, _MID, path)
    w.jump_stream = stream_of(w.seed, _JUMP, path)
    w.variance_stream = stream_of(w.seed, _VARIANCE, path)
    w.sell_stream = stream_of(w.seed, _SELL, path)
    w.buy_stream = stream_of(w.seed, _BUY, path)
    w.size_stream = stream_of(w.seed, _SIZE, path)
    w.informed_stream = stream_of(w.seed, _INFORMED, path)
    w.variance = 1.0
    w.sell_excitement = w.buy_excitement = w.rate * w.hawkes
    mids_of(w)[0] = w.start
    w.known = 0
    for k in range(quoters.shape[1]):
        q = quoters[lane, k]
        q.i = q.answered = q.position = 0
        q.pnl = q.squares = q.spread = q.adverse = q.fees = 0.0
        q.fills = q.sniped = q.volume = q.held = q.most_held = q.quoted = 0
        q.peak = q.drawdown = q.quoted_spread = 0.0
        for slot in range(q.slots):
            for side in range(2):
                for level in range(q.levels):
                    standing_of(q, slot, side, level).lots = 0
        if q.tabled == 0:
            row, template = row_words(q), template_words(q)
            for word in range(q.row_bytes // 8):
                row[word] = template[word]
            if q.n_signals > 0:
                state = signal_words(q)
                for word in range(_SIGNAL_WORDS):
                    state[word] = 0


begin_path = compiled(_begin_path)


def _make_block(w: Any) -> None:
    """Make the next steps of the market; mids are known as far ahead as informed traders see."""
    w.count = min(w.block, w.steps - w.step)
    wanted = w.count + w.ahead - 1
    if w.known < wanted:
        fill_mids(w, w.known, wanted - w.known, w.step + w.known)
        w.known = wanted
    fill_marks(w, w.count, w.step)


make_block = compiled(_make_block)


def _leave_block(w: Any) -> None:
    """Let what is known beyond the block become the beginning of the next."""
    mids, jumps = mids_of(w), jumps_of(w)
    w.known -= w.count
    for i in range(w.known + 1):
        mids[i] = mids[i + w.count]
    for i in range(w.known):
        jumps[i] = jumps[i + w.count]
    w.step += w.count
    w.count = 0


leave_block = compiled(_leave_block)


def _close(w: Any, q: Any, out: Any) -> None:
    """Write what became of a path; the columns are `COLUMNS`."""
    mean = q.pnl / w.steps
    variance = q.squares / w.steps - mean * mean
    out[0], out[1], out[2], out[3] = q.pnl, q.position * w.lot_size, q.spread, q.adverse
    out[4], out[5] = q.pnl - q.spread - q.adverse + q.fees, q.fees
    out[6], out[7], out[8] = q.fills, q.sniped, q.volume * w.lot_size
    out[9], out[10] = q.held * w.lot_size / w.steps, q.most_held * w.lot_size
    out[11] = mean / math.sqrt(variance) * math.sqrt(w.steps) if variance > 0.0 else 0.0
    out[12] = q.drawdown
    out[13] = q.quoted_spread / q.quoted if q.quoted > 0 else math.nan


close = compiled(_close)


def _advance(world: Any, quoters: Any, results: Any, trace: Any) -> int:
    """Go on with a chunk of paths until it is done, or until Python must decide for a quoter; return which, or `DONE`.

    Args:
        world: `WORLD`, one for each path that is walked in step with others; where Python decides there is one. The first one's
            state says how far all of them are.
        quoters: `QUOTER`, [lane, quoter], a lane being one of the paths in step.
        results: [path, quoter, `COLUMNS`], written.
        trace: [path, quoter, step, `TRACE`], written for the first paths.
    """
    w = world[0]
    while w.path < w.paths:
        lanes = min(world.shape[0], w.paths - w.path)
        if w.count == 0:
            for lane in range(lanes):
                if world[lane].step == 0:
                    world[lane].path = w.path + lane
                    begin_path(world[lane], quoters, lane)
                make_block(world[lane])
        while w.quoter < quoters.shape[1]:
            k, plain = w.quoter, quoters[0, w.quoter].plain == 1 and w.path >= trace.shape[0]
            if plain and quoters[0, k].tabled == 0:
                w.lane = 0
                follow_together(world, quoters, k, lanes)
            else:
                for lane in range(lanes):
                    w.lane, world[lane].quoter = lane, k
                    if plain:
                        follow_textbook(world[lane], quoters[lane, k])
                    elif follow(world[lane], quoters[lane, k], trace):
                        return int(k)
            for lane in range(lanes):
                quoters[lane, k].i = 0
            w.quoter += 1
        w.quoter = 0
        for lane in range(lanes):
            leave_block(world[lane])
        if w.step == w.steps:
            for lane in range(lanes):
                for k in range(quoters.shape[1]):
                    close(world[lane], quoters[lane, k], results[world[lane].path, k])
                world[lane].step = 0
            w.path += lanes
    return DONE


advance = compiled(_advance, nogil=True)
