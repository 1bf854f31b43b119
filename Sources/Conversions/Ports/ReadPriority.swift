/// The order in which reads of the API leave that wait for their turn: a caller sets it for what it calls.
///
/// ```swift
/// await ReadPriority.$current.withValue(.question) { await partners.referral(id) }
/// ```
public enum ReadPriority: Int, Sendable, Comparable, CaseIterable {
  /// Walks over many referrals, and every read with no priority of its own.
  case background
  /// Walks over the youngest referrals and the newest conversions.
  case young
  /// A question before a send, for which an order waits while it holds its permit.
  case question

  /// The priority of the reads that this task asks for.
  @TaskLocal public static var current = ReadPriority.background

  /// True if reads of one leave after those of the other.
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
