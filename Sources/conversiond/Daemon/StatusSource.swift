import Configuration
import Conversions
import Foundation
import Glibc
import Ledger
import Pipeline

/// Tells a running daemon's status, and its ledger's entries.
struct StatusSource: Sendable {
  let runs: PipelineRuns
  let reloader: Reloader
  let ledgerPath: String
  let isDryRun: Bool
  let ledger: SQLiteLedger
  let health: ComponentHealth
  let clock: TrustedClock
  let startedAt: Timestamp
  let forgetting: ForgetJob
  let acts: QueueActs

  private var configuration: Configuration { runs.configuration }

  var reports: LedgerReports {
    LedgerReports(
      ledger: ledger, emails: EmailDisplay(configuration.log.emails), amounts: configuration.attributionRules.amounts)
  }

  func report() async throws -> StatusReport {
    let (now, components) = (clock.now, health.snapshot())
    var report = StatusReport(
      state: "running", program: Version.text, ledger: ledgerPath, dryRun: isDryRun, pid: getpid(),
      startedAt: startedAt.description, now: now.description, database: health(components[.database]),
      api: health(components[.referrals]), delivery: health(components[.delivery]),
      ledgerHealth: health(components[.room]?.isWorking == false ? components[.room] : components[.ledger]),
      clock: clockHealth, mirror: StatusReport.Mirror(entries: [:]), outcomes: [], today: [:])
    report.reloadRefused = await reloader.refusal.map(StatusReport.ReloadRefused.init)
    report.doubts = health.doubts.isEmpty ? nil : health.doubts
    do {
      try await reports.fill(&report, now: now, conversionsPerMinute: configuration.api.conversionRate)
    } catch let failure as LedgerFailure {
      // A disk that fails is what is asked about: it must not keep the answer back.
      let since = report.ledgerHealth.state == "failing" ? report.ledgerHealth.since : now.description
      report.ledgerHealth = StatusReport.Health(state: "failing", since: since, message: failure.description)
    }
    return report
  }

  /// The source that the ledger's orders are of.
  func source() async throws -> SourceReport {
    SourceReport(try await ledger.knownSource(), try await ledger.leftBehind(limit: StartCheck.looksMax))
  }

  private var clockHealth: StatusReport.Health {
    let reason = clock.unconfirmedReason
    return StatusReport.Health(state: reason == nil ? "ok" : "unconfirmed", message: reason)
  }

  private func health(_ health: ComponentHealth.Health?) -> StatusReport.Health {
    let state =
      switch health?.isWorking {
      case true?: "ok"
      case false?: "failing"
      case nil: "unknown"
      }
    return StatusReport.Health(state: state, since: health?.since?.description, message: health?.message)
  }
}
