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
  /// True if the shop's database may be asked which one it is.
  var asksShop = true

  func lines() async -> [CheckLine] {
    let path = configuration.ledgerPath
    let access = DaemonAccess(configuration: configuration)
    if let report = try? await access.runningStatus() { return await running(report, access) }
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
      return try await lines(home)
    } catch let failure as CommandFailure {
      return [self.failure(failure)]
    } catch let failure as LedgerFailure {
      return [self.failure(CommandFailure(failure))]
    } catch {
      return [CheckLine(.fail, "ledger", "\(path): \(error)")]
    }
  }

  /// Looks through the copy.
  private func lines(_ home: LedgerHome) async throws -> [CheckLine] {
    let path = configuration.ledgerPath
    do {
      let ledger = try await home.open()
      let faults = try await ledger.integrityFaults()
      guard faults.isEmpty else {
        throw LedgerFailure(.damaged, "\(path) is damaged: \(faults.joined(separator: "; "))")
      }
      if let refusal = await refusal(from: nil, try await ledger.knownSource()?.surveyed) {
        return [CheckLine(.fail, "ledger", refusal)]
      }
      return [CheckLine(.ok, "ledger", "\(path) is whole")]
        + (await start(try await ledger.leftBehind(limit: StartCheck.looksMax))) + (try await account(ledger))
    } catch let failure as LedgerFailure {
      throw home.named(failure)
    }
  }

  /// Tells of a ledger that the running daemon has open: its orders' source, which a restart compares, and its halt.
  private func running(_ report: StatusReport, _ access: DaemonAccess) async -> [CheckLine] {
    var lines = [
      CheckLine(
        .ok, "ledger", "\(configuration.ledgerPath) is in use by the running daemon, process \(report.pid ?? 0)")
    ]
    let known = try? access.runningSource()
    if let known, let refusal = await refusal(from: known.configured, known.surveyed) {
      lines = [CheckLine(.fail, "ledger", refusal)]
    } else if let left = known?.left {
      lines += await start(left)
    }
    if let halt = report.halt {
      lines.append(CheckLine(.warn, "api", "the running daemon is halted: \(halt.words)"))
    } else if report.api.state == "failing" {
      lines.append(CheckLine(.warn, "api", "the running daemon has trouble reading it: \(report.api.message ?? "-")"))
    }
    return lines
  }

  /// Compares the source that the ledger's orders are of with the one that a start would find.
  ///
  /// - Returns: The words with which the start would refuse; nil where it would not.
  private func refusal(from configured: ConfiguredSource?, _ surveyed: SurveyedSource?) async -> String? {
    let changes = configured?.changes(to: configuration.source) ?? []
    guard changes.isEmpty else { return changes.refusal }
    // A start looks at the database only if the configuration passes.
    guard asksShop, let surveyed else { return nil }
    let orders = ShopOrders(configuration.orderMapping)
    let found = await SourceCheck.source(of: orders)
    await orders.close()
    return found.flatMap(surveyed.refusal)
  }

  /// Tells of a start that would refuse `orders.start`; nothing where the shop may not be asked.
  private func start(_ left: OrdersLeftBehind) async -> [CheckLine] {
    guard asksShop else { return [] }
    let orders = ShopOrders(configuration.orderMapping)
    let refusal = await StartCheck(configuration, left).refusal(orders)
    await orders.close()
    return refusal.map { [CheckLine(.fail, "orders.start", $0)] } ?? []
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

  /// Makes the line of a failure, which names the ledger.
  private func failure(_ failure: CommandFailure) -> CheckLine {
    let path = configuration.ledgerPath
    // A failure says itself what to do.
    let bare = failure.message.replacing("; \(CommandFailure.adviceForDamage)", with: "")
    return CheckLine(
      .fail, "ledger", bare.contains(path) ? bare : "\(path): \(bare)",
      advice: failure.status == .ledgerDamaged && bare.count < failure.message.count
        ? CommandFailure.adviceForDamage : nil)
  }
}
