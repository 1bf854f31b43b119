import Conversions
import Postgres

extension ShopInspection {
  /// Looks as `run` does: surveys the table, reads a first piece, recent changes, and its orders again by their keys.
  /// Rules of a check's own would sooner or later say ok to what `run` refuses.
  func rehearse(_ report: inout ShopReport) async throws {
    let orders = ShopOrders(mapping, limits: limits)
    do {
      let survey = try await orders.survey()
      let everything = OrderScreen(
        takesOrdersFrom: nil, oldBefore: Timestamp(microseconds: .min), coveredHorizon: nil, known: KnownKeys())
      let piece = SweepPiece(range: SweepRange(number: 1), isWhole: true)
      let page = try await orders.sweep(piece, of: survey, screen: everything)
      if survey.hasRecent { _ = try await orders.recent(after: nil, of: survey, screen: everything) }
      let keys = page.orders.prefix(mapping.pageSize).map(\.row.key)
      let again = try await orders.orders(withKeys: Array(keys))
      // A range of blocks may hold no orders; the first of keys holds some if there are any.
      let isMissed = survey.method == .hashes && keys.isEmpty ? try await hasOrders() : false
      report.findings.append(
        isMissed || !keys.isEmpty && again.isEmpty
          ? ShopFinding(
            .fail, mapping.keyExpression.setting,
            "no order is found again by its key, so that none would be reported",
            advice: "choose a stored column, which has the same value at each reading")
          : ShopFinding(.ok, "orders", "can be followed, and found again by \(mapping.keyExpression.setting)"))
    } catch let failure as OrderSourceFailure {
      await orders.close()
      // A failure that may be over in a moment is tried again by `run`, too.
      let severity = failure.kind == .transient || failure.kind == .changed ? ShopFinding.Severity.warn : .fail
      report.findings.append(ShopFinding(severity, "orders", failure.description))
      return
    } catch let error as PostgresError {
      report.findings.append(
        ShopFinding(.warn, "orders", "not verified: \(FailureWording.failure(error).description)"))
    }
    await orders.close()
  }

  private func hasOrders() async throws -> Bool {
    let connection = try await PostgresConnection.connect(to: mapping.connection)
    let statement = "SELECT EXISTS (\(sql.everything))::text"
    let result = try await connection.transaction(limits) { try $0.query(statement).text(0, 0) == "true" }
    await connection.close()
    return result
  }
}
