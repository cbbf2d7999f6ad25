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

from twosided._compile import compiled, function_at, lowest_bit, table_at, words_at
from twosided._random import Purpose, exponential_of, stream_of, stream_word
from twosided.engines.montecarlo_flow import fill_marks, is_reached
from twosided.engines.montecarlo_mid import fill_mids
from twosided.engines.montecarlo_world import CELL, QUOTER, STANDING, START_NS, TABULATED
from twosided.signals.by_name import SIGNALS_OF_MARKET, see_book, signal_at
from twosided.strategies.contract import DECIDE, HEADER, MARKET_VIEW, QUOTE, Wake, ask_ticks, bid_ticks

__all__ = ["DONE", "advance"]

DONE = -1
"""What `advance` returns when all paths are done; 0 or more is the quoter for whom Python must decide."""

head_of = table_at(QUOTER, "row", HEADER, (1,))
market_of = table_at(QUOTER, "row", MARKET_VIEW, (1, 1), row=("row_bytes", "market_offset"))
quote_of = table_at(QUOTER, "row", QUOTE, (1, 2, "levels"), row=("row_bytes", "quotes_offset"))
only_quote_of = table_at(QUOTER, "row", QUOTE, (1, 2), row=("row_bytes", "quotes_offset"))
shown_signal_of = table_at(QUOTER, "row", CELL, (1, "n_signals"), row=("row_bytes", "signals_offset"))
tabulated_of = table_at(QUOTER, "tabulated", TABULATED, ("places",))
captured_of = table_at(QUOTER, "tabulated", CELL, ("cells",))
standing_of = table_at(QUOTER, "standing", STANDING, ("slots", 2, "levels"))
signals_of = table_at(QUOTER, "signal_state", SIGNALS_OF_MARKET, (1,))
row_words = words_at(QUOTER, "row")
template_words = words_at(QUOTER, "template")
signal_words = words_at(QUOTER, "signal_state")
_SIGNAL_WORDS = SIGNALS_OF_MARKET.itemsize // 8
call = function_at(DECIDE)

_TIMER = int(Wake.TIMER)
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


def _fee(w: Any, price: float, lots: int) -> float:
    """Return the fee on a fill."""
    return float(lots * (abs(price) * w.lot_size * w.fee_rate + w.fee_per_lot))


fee_of = compiled(_fee, inline=True)


# ---------------------------------------------------------------- the textbook: a table, and nothing in the way


# A branch that depends on a random number is often guessed wrongly, which costs more than all else in a step. The compiler makes
# one wherever a fill chooses between numbers, or multiplies them; looking up what it brings leaves the compiler no choice.

_WIDTH, _NOTHING = TABULATED.itemsize // 8, 2  # numbers in each place of a table, and where in it those begin that are captured


def _follow_textbook(w: Any, q: Any, mids: Any, sells: Any, buys: Any) -> None:
    """Do what `_follow` does where nothing is in the way: no latency, ticks, snipers or sizes of orders.

    It takes a fraction of the time; a test holds the two equal.
    """
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


def _time_of(w: Any, step: int) -> int:
    """Return what strategies are told the time is at the beginning of a step."""
    return START_NS + int(step * w.step_s * 1e9 + 0.5)


time_of = compiled(_time_of, inline=True)


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
        signals = signals_of(q, 0)
        see_book(signals, q.signals_wanted, now_ns, market.bid_ticks, market.ask_ticks, 1, 1)
        for j in range(q.n_signals):
            shown_signal_of(q, 0, j).number = signal_at(signals, q.signal_sources[j], now_ns)


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


def _follow(w: Any, q: Any, mids: Any, jumps: Any, sells: Any, buys: Any, trace: Any) -> bool:
    """Live through a block, or up to a decision that Python must take: then return True, and go on at the next call."""
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
                call(q.address)(head_of(q, 0))
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


# ---------------------------------------------------------------- strategies that nothing hinders, several paths in step


# What a strategy answers rests on its last fill by a long chain of operations, and whether it is filled again is often guessed
# wrongly. So several paths go through each part of a step together: chains overlap, and who was filled is known, and gathered in
# the bits of one number, before anything depends on it. No address that is written to may depend on it before: that made
# all later reads wait, which cost more than all else here.


def _who_is_met(w: Any, q: Any, mid: float, sell: int, buy: int) -> int:
    """Return 1 if the orders of a step reach the bid, plus 2 if they reach the ask; take notice of what is quoted."""
    market, bid, ask = market_of(q, 0, 0), only_quote_of(q, 0, 0), only_quote_of(q, 0, 1)
    bid_price, ask_price = bid.ticks * market.tick_size, ask.ticks * market.tick_size
    market.working_bid_lots, market.working_ask_lots = bid.lots, ask.lots
    q.gain, met = 0.0, 0
    if bid.lots > 0 and ask.lots > 0:
        q.quoted += 1
        q.quoted_spread += ask_price - bid_price
    if bid.lots > 0:
        met |= int(is_reached(w, sell, mid - bid_price))
    if ask.lots > 0:
        met |= int(is_reached(w, buy, ask_price - mid)) << 1
    return met


who_is_met = compiled(_who_is_met, inline=True)


def _take_fill(w: Any, q: Any, side: int, mid: float, move: float) -> None:
    """Let the orders of a step have the quote of a side, as far as the position limit lets them."""
    quote, sign = only_quote_of(q, 0, side), 1 - 2 * side
    lots = min(quote.lots, q.limit_lots - sign * q.position)
    if lots > 0:
        price = quote.ticks * market_of(q, 0, 0).tick_size
        q.gain += fill(w, q, sign, price, lots, sign * (mid - price), move)


take_fill = compiled(_take_fill, inline=True)


def _follow_together(world: Any, quoters: Any, k: int, lanes: int, mids: Any, sells: Any, buys: Any) -> None:
    """Do what `_follow` does for a compiled strategy of one level where no quote is late, none is sniped, and orders have no size.

    A test holds the two equal to the last bit.
    """
    w = world[0]
    for i in range(w.count):
        now_ns = time_of(w, w.step + i)
        for lane in range(lanes):
            show(w, quoters[lane, k], now_ns, mids[lane, i])
        for lane in range(lanes):
            q = quoters[lane, k]
            w.lane, q.i = lane, i
            call(q.address)(head_of(q, 0))
        met = 0
        for lane in range(lanes):
            met |= who_is_met(w, quoters[lane, k], mids[lane, i], sells[lane, i], buys[lane, i]) << (2 * lane)
        while met != 0:
            bit = lowest_bit(met)
            met &= met - 1
            lane = bit >> 1
            take_fill(w, quoters[lane, k], bit & 1, mids[lane, i], mids[lane, i + 1] - mids[lane, i])
        for lane in range(lanes):
            q = quoters[lane, k]
            mark_step(q, w.lot_size, q.gain, mids[lane, i + 1] - mids[lane, i])


follow_together = compiled(_follow_together)


# ---------------------------------------------------------------- paths


def _begin_path(w: Any, quoters: Any, mids: Any) -> None:
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
    mids[0] = w.start
    w.known = 0
    for k in range(quoters.shape[0]):
        q = quoters[k]
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


def _make_block(w: Any, recorded: Any, mids: Any, jumps: Any, sells: Any, buys: Any) -> None:
    """Make the next steps of the market; mids are known as far ahead as informed traders see."""
    w.count = min(w.block, w.steps - w.step)
    wanted = w.count + w.ahead - 1
    if w.known < wanted:
        fill_mids(w, recorded, mids, jumps, w.known, wanted - w.known, w.step + w.known)
        w.known = wanted
    fill_marks(w, mids, sells, buys, w.count, w.step)


make_block = compiled(_make_block)


def _leave_block(w: Any, mids: Any, jumps: Any) -> None:
    """Let what is known beyond the block become the beginning of the next."""
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


def _advance(
    world: Any,
    quoters: Any,
    recorded: Any,
    mids: Any,
    jumps: Any,
    sells: Any,
    buys: Any,
    results: Any,
    trace: Any,
) -> int:
    """Go on with a chunk of paths until it is done, or until Python must decide for a quoter; return which, or `DONE`.

    Args:
        world: `WORLD`, one for each path that is walked in step with others; where Python decides there is one. The first one's
            state says how far all of them are.
        quoters: `QUOTER`, [lane, quoter], a lane being one of the paths in step.
        recorded: the mids of a recorded path.
        mids: [lane, step], those of the present block, and as far beyond it as informed traders see.
        jumps: the part of each of its moves that jumped.
        sells: its marks of orders that hit bids.
        buys: its marks of orders that lift asks.
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
                    begin_path(world[lane], quoters[lane], mids[lane])
                make_block(world[lane], recorded, mids[lane], jumps[lane], sells[lane], buys[lane])
        while w.quoter < quoters.shape[1]:
            k, plain = w.quoter, quoters[0, w.quoter].plain == 1 and w.path >= trace.shape[0]
            if plain and quoters[0, k].tabled == 0:
                follow_together(world, quoters, k, lanes, mids, sells, buys)
            else:
                for lane in range(lanes):
                    w.lane, world[lane].quoter = lane, k
                    if plain:
                        follow_textbook(world[lane], quoters[lane, k], mids[lane], sells[lane], buys[lane])
                    elif follow(world[lane], quoters[lane, k], mids[lane], jumps[lane], sells[lane], buys[lane], trace):
                        return int(k)
            for lane in range(lanes):
                quoters[lane, k].i = 0
            w.quoter += 1
        w.quoter = 0
        for lane in range(lanes):
            leave_block(world[lane], mids[lane], jumps[lane])
        if w.step == w.steps:
            for lane in range(lanes):
                for k in range(quoters.shape[1]):
                    close(world[lane], quoters[lane, k], results[world[lane].path, k])
                world[lane].step = 0
            w.path += lanes
    return DONE


advance = compiled(_advance, nogil=True)
