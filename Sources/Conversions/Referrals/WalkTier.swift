/// One of the walks by which the mirror follows the API's referrals, each with a period of its own. The spelling is
/// kept in the ledger.
public enum WalkTier: String, Sendable, Codable, CaseIterable, CodingKeyRepresentable {
  /// Open referrals made in the last quarter of an hour.
  case quarterHour = "15m"
  /// Open referrals made in the last two hours.
  case twoHours = "2h"
  /// Open referrals made in the last day.
  case day = "1d"
  /// Open referrals made in the last week.
  case week = "7d"
  /// Open referrals made in the last 30 days.
  case month = "30d"
  /// All open referrals.
  case open
  /// All four lists.
  case full
  /// The newest conversions, by when they were converted.
  case conversions

  /// The greatest age of the referrals that the walk shows; nil for any age.
  public var ageMax: Duration? {
    switch self {
    case .quarterHour: .seconds(900)
    case .twoHours: .seconds(2 * 3600)
    case .day: .seconds(86_400)
    case .week: .seconds(7 * 86_400)
    case .month: .seconds(30 * 86_400)
    case .open, .full, .conversions: nil
    }
  }

  /// True if a walk of this kind shows all that one of `other` would.
  public func covers(_ other: WalkTier) -> Bool {
    guard self != other, self != .full else { return true }
    guard self != .conversions, other != .conversions, other != .full else { return false }
    return Self.byAge.firstIndex(of: self) ?? 0 >= Self.byAge.firstIndex(of: other) ?? 0
  }

  /// The walks over open referrals, the smallest first.
  public static let byAge: [WalkTier] = [.quarterHour, .twoHours, .day, .week, .month, .open]
}
