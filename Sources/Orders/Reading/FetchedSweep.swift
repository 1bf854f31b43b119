import Conversions
import Postgres

/// What one transaction fetched of a range, before it is sorted: that takes as long again, and meanwhile neither the
/// connection nor the snapshot, which holds back the shop's vacuum, need wait.
struct FetchedSweep: Sendable {
  /// What is known of the page without a look at its rows.
  private(set) var page: SweepPage
  private let rows: (PostgresRows, RowScreening)?
  private let nullKeysWarning: String

  /// A page whose rows are not sorted yet.
  init(_ page: SweepPage, _ rows: PostgresRows, _ screening: RowScreening, _ mapping: OrderMapping) {
    self.page = page
    self.rows = (rows, screening)
    nullKeysWarning = mapping.nullKeysWarning
  }

  /// A page whose rows are.
  init(_ page: SweepPage, _ sorted: RowScreening.Sorted, _ mapping: OrderMapping) {
    self.page = page
    rows = nil
    nullKeysWarning = mapping.nullKeysWarning
    take(sorted)
  }

  /// A page that is complete.
  init(_ page: SweepPage) {
    self.page = page
    rows = nil
    nullKeysWarning = ""
  }

  /// The page with its orders.
  ///
  /// - Throws: `PostgresError` of kind `data` for bytes that are no text.
  @concurrent func sorted() async throws -> SweepPage {
    guard let (rows, screening) = rows else { return page }
    var fetched = self
    fetched.take(try screening.sorted(rows))
    return fetched.page
  }

  private mutating func take(_ sorted: RowScreening.Sorted) {
    (page.orders, page.counted, page.placedLatest) = (sorted.orders, sorted.counted, sorted.placedLatest)
    if sorted.hasNullKeys { page.warnings = [nullKeysWarning] }
  }
}
