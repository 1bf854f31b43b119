import Configuration
import Conversions
import Orders

/// Checks of a configuration that is to follow the one in force.
enum ReloadChecks {
  /// Refuses keys that are taken at a start only, by name.
  ///
  /// - Throws: `CommandFailure` 78.
  static func keysThatNeedARestart(_ present: Configuration, _ next: Configuration) throws {
    let keys = [
      ("ledger.location", present.ledger.location != next.ledger.location),
      ("api.base_url", present.api.baseURL != next.api.baseURL),
      ("api.key_file", present.api.keyFile != next.api.keyFile),
      ("metrics.listen", present.metrics != next.metrics),
    ].filter(\.1).map(\.0)
    guard !keys.isEmpty else { return }
    throw CommandFailure(
      .configuration,
      "\(keys.joined(separator: ", ")) \(keys.count == 1 ? "is" : "are") taken at a start only: put back what was there, "
        + "or systemctl restart conversiond")
  }

  /// Looks at the shop's database as `check` does, and refuses what would not work.
  ///
  /// - Throws: `CommandFailure` 78 with each reason; `CancellationError`.
  static func shop(_ configuration: Configuration) async throws {
    let report = try await ShopInspection(
      configuration.orderMapping, amounts: configuration.attributionRules.amounts, isBesideDaemon: true
    ).report()
    guard !report.findings.contains(where: \.meansNoConnectionIsLeft) else {
      throw CommandFailure(
        .configuration,
        "orders: no connection to the shop's database is left for the check beside the daemon's own: systemctl restart "
          + "conversiond, or allow its role four")
    }
    let failed = report.findings.filter { $0.severity == .fail }
    guard !failed.isEmpty else { return }
    throw CommandFailure(
      .configuration, "the shop's database does not take the mapping",
      details: failed.map { "\($0.subject): \($0.message)" + ($0.advice.map { "; \($0)" } ?? "") })
  }
}

extension Configuration {
  /// Returns the names of the sections in which another configuration differs.
  func sectionsThatDiffer(from other: Configuration) -> [String] {
    [
      ("orders", orders != other.orders), ("matching", matching != other.matching),
      ("reporting", reporting != other.reporting), ("api", api != other.api), ("ledger", ledger != other.ledger),
      ("log", log != other.log), ("metrics", metrics != other.metrics),
    ].filter(\.1).map(\.0)
  }
}
