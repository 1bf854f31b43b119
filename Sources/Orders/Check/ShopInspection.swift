public import Conversions
public import Postgres

/// Looks at the shop's database for `conversiond check`: reads only, each question bounded, nothing left behind.
public struct ShopInspection: Sendable {
  /// The most rows of a table for which a plan without an index costs nothing.
  static let rowsSmall = 10_000.0
  /// The number of orders that a count looks at.
  static let sampleRows = 10_000

  let sql: ShopSQL
  let limits: TransactionLimits
  let clock: any HostClock
  /// The rules by which totals become cents.
  let rules: AmountRules
  /// True while the daemon has connections of the same role.
  let isBesideDaemon: Bool

  var mapping: OrderMapping { sql.mapping }

  /// An inspection of what a mapping reads; each statement is given 5 s unless said otherwise. Totals become cents by
  /// `amounts`, or by the mapping's unit alone.
  public init(
    _ mapping: OrderMapping, amounts: AmountRules? = nil, limits: TransactionLimits = TransactionLimits(),
    clock: any HostClock = SystemClock(), isBesideDaemon: Bool = false
  ) {
    self.isBesideDaemon = isBesideDaemon
    sql = ShopSQL(mapping: mapping)
    rules = amounts ?? AmountRules(unit: mapping.totalUnit ?? .cents, rounding: .refuse, otherCurrency: .review)
    self.limits = limits
    self.clock = clock
  }

  /// Looks at everything that can be looked at. A failure is a finding.
  ///
  /// - Returns: The findings; at least one.
  /// - Throws: `CancellationError` only.
  public func report() async throws -> ShopReport {
    var report = ShopReport()
    let connection: PostgresConnection
    do {
      connection = try await PostgresConnection.connect(to: mapping.connection)
    } catch let error as PostgresError {
      let failure = FailureWording.failure(error)
      report.findings = [ShopFinding(.fail, "orders.connection", failure.description)]
      return report
    }
    try await server(connection, &report)
    guard let table = try await table(connection, &report) else {
      await connection.close()
      return report
    }
    try await following(connection, &report)
    try await condition(connection, table, &report)
    try await key(connection, table, &report)
    try await change(connection, table, &report)
    try await content(connection, &report)
    try await newest(connection, table, &report)
    await connection.close()
    try await connections(&report)
    try await rehearse(&report)
    return report
  }

  /// Asks something in a transaction of its own. An answer that fails, for want of time say, is a warning.
  func ask(
    _ subject: String, _ connection: PostgresConnection, _ report: inout ShopReport,
    _ question: @Sendable (PostgresTransaction) throws -> [ShopFinding]
  ) async throws {
    do {
      report.findings += try await connection.transaction(limits, question)
    } catch let failure as OrderSourceFailure {
      report.findings.append(ShopFinding(.fail, subject, failure.description))
    } catch let error as PostgresError {
      report.findings.append(
        ShopFinding(.warn, subject, "not verified: \(FailureWording.failure(error).description)"))
    }
  }
}
