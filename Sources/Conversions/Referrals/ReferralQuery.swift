/// What to ask the list endpoint for (API reference, List referrals). Nil is left out of the request.
public struct ReferralQuery: Hashable, Sendable {
  /// The largest page that the API gives.
  public static let pageSizeMax = 100

  /// The longest text that is searched for, in characters (API reference, List referrals: max 256 chars).
  public static let searchMax = 256

  /// Only this status.
  public var status: ReferralStatus?
  /// Exactly this referrer's e-mail.
  public var referrerEmail: String?
  /// Made at or after this; sent in milliseconds.
  public var dateFrom: Timestamp?
  /// Made at or before this; sent in milliseconds.
  public var dateTo: Timestamp?
  /// Free text, at most 256 characters.
  public var search: String?
  /// The order of the list.
  public var sortBy: SortKey?
  /// Its direction.
  public var sortOrder: SortOrder?
  /// From 1.
  public var page: Int?
  /// From 1 to 100.
  public var pageSize: Int?

  /// What lists can be sorted by.
  public enum SortKey: String, Sendable, CaseIterable {
    /// When it was made.
    case createdAt
    /// When it was converted.
    case convertedAt
    /// The reported value.
    case conversionValue
  }

  /// The direction of a list.
  public enum SortOrder: String, Sendable, CaseIterable {
    /// Smallest first.
    case ascending = "asc"
    /// Largest first.
    case descending = "desc"
  }

  /// Everything, in the API's own order and page size.
  public init() {}
}

/// One page of the list.
public struct ReferralPage: Hashable, Sendable {
  /// The referrals, in the order of the answer.
  public var referrals: [Referral]
  /// Those that can't be read, and take no part.
  public var unreadable: [UnreadableReferral]
  /// The page's number, from 1.
  public var page: Int
  /// How many a page holds.
  public var pageSize: Int
  /// How many there are in all.
  public var total: Int

  /// A page from its values.
  public init(
    referrals: [Referral], unreadable: [UnreadableReferral] = [], page: Int, pageSize: Int, total: Int
  ) {
    self.referrals = referrals
    self.unreadable = unreadable
    self.page = page
    self.pageSize = pageSize
    self.total = total
  }
}
