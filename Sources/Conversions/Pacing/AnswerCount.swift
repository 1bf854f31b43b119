/// Counts the answers of the last minute in slices of half a second, so that a permit costs as much at 3,000 a minute as
/// at 30: a list of every send is as long as the limit is high.
///
/// Each answer counts as given at the end of its slice: never too early, and half a second late at most. The first gear
/// leaves 2.4 s to spare in a full minute, so that no pace is lost by it.
struct AnswerCount: Hashable, Sendable {
  /// The length of a slice.
  static let slice = Duration.milliseconds(500)
  /// The slices that a window can touch: those of a minute, and the one that has just begun.
  static let slicesMax = Int(PacingRules.window / slice) + 1

  /// The number of the last count's slice since the boot.
  private var newest: Int64 = 0
  /// The counts, the oldest first; the last is that of `newest`.
  private var counts: [Int] = []

  /// Makes a count of nothing.
  init() {}

  /// Counts answers at a time. A time before the last one's counts as that one's.
  mutating func add(_ count: Int = 1, at time: Duration) {
    guard count > 0 else { return }
    let slice = counts.isEmpty ? Self.slice(of: time) : max(newest, Self.slice(of: time))
    let isApart = counts.isEmpty || slice - newest >= Int64(Self.slicesMax)
    if isApart { counts = [0] } else { counts += Array(repeating: 0, count: Int(slice - newest)) }
    counts.removeFirst(max(0, counts.count - Self.slicesMax))
    newest = slice
    counts[counts.count - 1] += count
  }

  /// The answers that a window still counts at a time.
  func total(at now: Duration) -> Int { counts[live(at: now)...].reduce(0, +) }

  /// The time from which so many of them are out of the window; nil where there are not as many.
  func leaves(_ count: Int, at now: Duration) -> Duration? {
    var left = count
    for index in counts.indices[live(at: now)...] {
      left -= counts[index]
      if left <= 0 { return end(index) }
    }
    return nil
  }

  /// Makes all of them answers of one time: an uptime of another boot says nothing of how long ago they were.
  mutating func move(to time: Duration) {
    let total = counts.reduce(0, +)
    self = Self()
    add(total, at: time)
  }

  /// Pulls back what lies behind a time, which a damaged clock has left.
  mutating func limitToPast(of now: Duration) {
    if !counts.isEmpty, newest > Self.slice(of: now) { move(to: now) }
  }

  /// The index of the first count that the window holds.
  private func live(at now: Duration) -> Int { counts.indices.first { end($0) > now } ?? counts.endIndex }

  /// The time at which the count of an index leaves the window.
  private func end(_ index: Int) -> Duration {
    let slice = newest - Int64(counts.count - 1 - index)
    return .milliseconds((slice + 1) * 500) + PacingRules.window
  }

  private static func slice(of time: Duration) -> Int64 { Int64((time / slice).rounded(.down)) }
}

/// One text of numbers: a list of them costs a coder much more than it says.
extension AnswerCount: Codable {
  /// Reads what `encode` wrote.
  ///
  /// - Throws: `DecodingError` for a text that is none, or says what can't be.
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let words = try container.decode(String.self).split(separator: " ")
    let numbers = words.compactMap { Int64($0) }
    let counts = numbers.dropFirst().compactMap { Int(exactly: $0) }
    guard numbers.count == words.count, let newest = numbers.first, counts.count == numbers.count - 1,
      counts.count <= Self.slicesMax, counts.allSatisfy({ (0...1_000_000).contains($0) }),
      (0...Int64(1) << 40).contains(newest)
    else { throw DecodingError.dataCorruptedError(in: container, debugDescription: "no counts of answers") }
    (self.newest, self.counts) = (newest, counts)
  }

  /// Writes the last count's slice, then the counts.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(([newest] + counts.map(Int64.init)).map(String.init).joined(separator: " "))
  }
}
