import Configuration
import Conversions
import Foundation
import Ledger
import Orders

/// Checks that the ledger is there, whole and this shop's. Looks at a copy, so that nothing changes.
struct LedgerCheck {
  let configuration: Configuration
  /// Asks whether the API is that of the ledger's account; nil for not at all.
  var api: APICheck?

  func lines() async -> [CheckLine] {
    let path = configuration.ledgerPath
    let access = DaemonAccess(configuration: configuration)
    if let report = try? await access.runningStatus() {
      return [CheckLine(.ok, "ledger", "\(path) is in use by the running daemon, process \(report.pid ?? 0)")]
    }
    let folder = (path as NSString).deletingLastPathComponent
    guard FileManager.default.fileExists(atPath: path) else {
      guard FileManager.default.isWritableFile(atPath: folder) else {
        return [
          CheckLine(.fail, "ledger", "cannot make \(path)", advice: "make \(folder), writable by the daemon's user")
        ]
      }
      return [CheckLine(.ok, "ledger", "\(path) will be made at the first start")]
    }
    do {
      let home = try LedgerHome(configuration: configuration, isDryRun: true)
      defer { home.remove() }
      let ledger = try await home.open()
      let faults = try await ledger.integrityFaults()
      guard faults.isEmpty else { return [Self.damaged(faults.joined(separator: "; "))] }
      return [CheckLine(.ok, "ledger", "\(path) is whole")] + (try await source(ledger)) + (try await account(ledger))
    } catch let failure as CommandFailure {
      if failure.status == .ledgerDamaged { return [Self.damaged(failure.message)] }
      return [CheckLine(.fail, "ledger", failure.message)]
    } catch {
      return [CheckLine(.fail, "ledger", "\(error)")]
    }
  }

  /// Asks the shop's database whether it is what the ledger's orders were read from, as a start does.
  private func source(_ ledger: SQLiteLedger) async throws -> [CheckLine] {
    guard api != nil, let known = try await ledger.knownSource()?.surveyed else { return [] }
    let orders = ShopOrders(configuration.orderMapping)
    let found = await SourceCheck.source(of: orders)
    await orders.close()
    guard let refusal = found.flatMap({ known.refusal(of: $0) }) else { return [] }
    return [CheckLine(.fail, "ledger", refusal)]
  }

  /// Asks the API for the ledger's referrals, as a start does: sending halts where it knows none of them.
  private func account(_ ledger: SQLiteLedger) async throws -> [CheckLine] {
    let now = SystemClock().now
    let known = try await ledger.transaction { try $0.knownReferrals(limit: 3, seenBefore: now) }
    guard let api, await api.knowsNone(of: known) else { return [] }
    return [
      CheckLine(
        .fail, "api", "knows none of the referrals of \(configuration.ledgerPath), and nothing would be sent",
        advice: "is the key, or api.base_url, another account's?")
    ]
  }

  private static func damaged(_ message: String) -> CheckLine {
    // A failure says itself what to do.
    let bare = message.replacing("; \(CommandFailure.adviceForDamage)", with: "")
    return CheckLine(.fail, "ledger", bare, advice: CommandFailure.adviceForDamage)
  }
}
