import Conversions

/// Chooses the range of the shop's table to read next, and keeps what each read leaves behind. Pure: the ledger's copy
/// is changed first, this one after it.
///
/// A range's mark moves only when that range was read to its end, to the mark of its first piece: what came into an
/// early piece while a late one was read is newer than that.
struct RangeBook: Sendable {
  /// The intervals at which ranges are read.
  struct Pace: Hashable, Sendable {
    /// The interval for ranges with orders that may matter.
    var interval: Duration
    /// The interval for ranges whose orders are all too old to match a referral.
    var rareInterval: Duration
    /// The interval for reading every row of a range, whatever its mark says.
    var wholeInterval: Duration = .seconds(86_400)
    /// The time before which placed orders can't matter any more; nil where any may.
    var mattersFrom: Timestamp?
    /// True while ranges that were never read may be read.
    var readsNew: Bool = true
    /// The time of the last demand to read all again: a range read before it is due at once.
    var forcedAt: Timestamp?
  }

  /// The next step.
  enum Step: Hashable, Sendable {
    /// A piece to read.
    case read(SweepPiece)
    /// A wait until a time; nil: there is nothing to read at all.
    case wait(until: Timestamp?)
  }

  /// A range that is read in several pieces.
  private struct Progress {
    var number: Int64
    var beganAt: Timestamp
    var isWhole: Bool
    var from: String?
    /// The mark of the first piece; nil for a hash that can't be computed.
    var mark: String?
    var sawAll: Bool = true
    var counts: [Outcome: Int] = [:]
    var placedLatest: Timestamp?
  }

  private(set) var ranges: [SweepRange]
  private var underWay: Progress?
  private var swept: Set<Int64> = []

  /// The ranges as the ledger remembers them; one without bounds where it remembers none.
  init(_ ranges: [SweepRange]) {
    self.ranges = ranges.isEmpty ? [SweepRange(number: 1)] : ranges
  }

  /// Returns true once every range that matters was read to its end by this book, and every other one at any time.
  func isSwept(_ pace: Pace) -> Bool {
    ranges.allSatisfy { swept.contains($0.number) || ($0.wholeAt != nil && !matters($0, pace)) }
  }

  /// The time of the oldest of the ranges' last whole reads; nil while one was never read whole.
  var wholeSince: Timestamp? {
    ranges.contains { $0.wholeAt == nil } ? nil : ranges.compactMap(\.wholeAt).min()
  }

  func next(at now: Timestamp, _ pace: Pace) -> Step {
    if let underWay, let range = ranges.first(where: { $0.number == underWay.number }) {
      return .read(SweepPiece(range: range, from: underWay.from, isWhole: underWay.isWhole))
    }
    var first: (due: Timestamp, range: SweepRange, isWhole: Bool)?
    for range in ranges where pace.readsNew || range.wholeAt != nil {
      let (due, isWhole) = due(range, at: now, pace)
      if first.map({ due < $0.due }) ?? true { first = (due, range, isWhole) }
    }
    guard let first else { return .wait(until: nil) }
    guard first.due <= now else { return .wait(until: first.due) }
    return .read(SweepPiece(range: first.range, isWhole: first.isWhole))
  }

  private func due(_ range: SweepRange, at now: Timestamp, _ pace: Pace) -> (Timestamp, isWhole: Bool) {
    // Ignores a time in the future: it was taken before the clock was set back.
    guard let readAt = range.readAt, let wholeAt = range.wholeAt, readAt <= now, wholeAt <= now else {
      return (Timestamp(microseconds: .min), true)
    }
    let whole = wholeAt + pace.wholeInterval
    if whole <= now { return (whole, true) }
    if let forcedAt = pace.forcedAt, readAt < forcedAt { return (readAt, range.mark == nil) }
    let again = readAt + (matters(range, pace) ? pace.interval : pace.rareInterval)
    return (min(again, whole), range.mark == nil || whole <= again)
  }

  private func matters(_ range: SweepRange, _ pace: Pace) -> Bool {
    guard let from = pace.mattersFrom, let latest = range.placedLatest else { return true }
    return latest >= from
  }

  /// Takes in what a piece brought.
  ///
  /// - Parameters:
  ///   - page: The page that the source read.
  ///   - piece: The piece that it was asked for.
  ///   - counted: Orders of the piece that left nothing but a count.
  ///   - beganAt: The time at which the piece's read began.
  /// - Returns: The ranges that changed, to be stored together with what came with them.
  mutating func take(
    _ page: SweepPage, of piece: SweepPiece, counted: [Outcome: Int], beganAt: Timestamp
  ) -> [SweepRange] {
    guard let index = ranges.firstIndex(where: { $0.number == piece.range.number }) else { return [] }
    var changed: [SweepRange] = []
    if let split = page.split {
      let rest = cut(index, split)
      // Stores both: else a restart while the first is read would find it at its old length, overlapping the other.
      changed += [ranges[index], rest]
    }
    var progress =
      underWay
      ?? Progress(number: piece.range.number, beganAt: beganAt, isWhole: piece.isWhole, mark: page.mark)
    progress.counts.merge(counted, uniquingKeysWith: +)
    progress.sawAll = progress.sawAll && page.isWhole
    if let latest = page.placedLatest { progress.placedLatest = max(progress.placedLatest ?? latest, latest) }
    progress.from = page.next
    guard page.next == nil else {
      underWay = progress
      return changed
    }
    underWay = nil
    finish(&ranges[index], progress)
    swept.insert(piece.range.number)
    return changed + [ranges[index]]
  }

  private func finish(_ range: inout SweepRange, _ progress: Progress) {
    range.mark = progress.mark
    range.readAt = progress.beganAt
    guard progress.sawAll else {
      if let latest = progress.placedLatest { range.placedLatest = max(range.placedLatest ?? latest, latest) }
      return
    }
    range.wholeAt = progress.beganAt
    range.counts = progress.counts
    // Leaves an empty range without a time, as any order may come into it.
    range.placedLatest = progress.placedLatest
  }

  /// Cuts a range in two. The part after the cut was not read now; it keeps the read times of the whole.
  private mutating func cut(_ index: Int, _ split: SweepPage.Split) -> SweepRange {
    var rest = SweepRange(
      number: (ranges.map(\.number).max() ?? 0) + 1, lower: split.at, upper: ranges[index].upper, mark: split.mark)
    if split.mark != nil {
      (rest.readAt, rest.wholeAt) = (ranges[index].readAt, ranges[index].wholeAt)
      if swept.contains(ranges[index].number) { swept.insert(rest.number) }
    }
    ranges[index].upper = split.at
    ranges.append(rest)
    return rest
  }
}
