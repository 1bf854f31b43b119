import Conversions
import Testing

@testable import conversiond

/// A thing that a person must look at stands on the screen and in the exit status, or in neither.
@Suite struct StatusScreenTests {
  private static func report(_ change: (inout StatusReport) -> Void) -> StatusReport {
    let ok = StatusReport.Health(state: "ok")
    var report = StatusReport(
      state: "running", program: "0", ledger: "l", dryRun: false, now: "2026-11-28T10:00:00Z", database: ok, api: ok,
      delivery: ok, ledgerHealth: ok, mirror: StatusReport.Mirror(entries: [:]), caughtUpAt: "2026-11-28T09:00:00Z",
      outcomes: [StatusReport.Count(outcome: "queued", count: 4)], today: [:], drainSeconds: 8)
    change(&report)
    return report
  }

  @Test func nothingToLookAtIsNeitherSaidNorCounted() {
    let report = Self.report { $0.changedSince = ["amount_changed": 0] }
    #expect(!report.needsPerson && report.isWorking)
    let text = StatusScreen(report: Self.report { _ in }).text
    #expect(!text.contains("NEEDS A PERSON") && text.contains("the queue drains in about 8 s"))
  }

  private static let changes: [@Sendable (inout StatusReport) -> Void] = [
    { $0.outcomes.append(StatusReport.Count(outcome: "review", count: 2)) }, { $0.heldByRules = 21 },
    { $0.heldMissing = 3 }, { $0.conflicts = "the API had used the last order IDs" },
    {
      $0.halt = StatusReport.Halt(
        reason: "key_refused", detail: "HTTP 401", remedy: "put a valid key in place", since: "2026-11-28T09:00:00Z")
    },
  ]

  @Test(arguments: changes.indices) func whatNeedsAPersonIsSaidAndCounted(index: Int) {
    let report = Self.report(Self.changes[index])
    #expect(report.needsPerson)
    #expect(StatusScreen(report: report).text.split(separator: "\n").count { $0.hasPrefix("NEEDS A PERSON: ") } == 1)
  }

  @Test func changesAfterTheReportAreSaidAndCounted() {
    let report = Self.report { $0.changedSince = ["amount_changed": 1] }
    #expect(report.needsPerson && StatusScreen(report: report).text.contains("changed after the report: 1 amount"))
  }

  @Test(arguments: HaltReason.allCases) func aHaltIsShownWithItsRemedy(reason: HaltReason) {
    let report = Self.report {
      $0.outcomes = []
      $0.halt = StatusReport.Halt(
        reason: reason.rawValue, detail: "it said no", remedy: reason.remedy, since: "2026-11-28T09:00:00Z")
    }
    let text = StatusScreen(report: report).text
    #expect(text.contains("since 2026-11-28T09:00:00Z: \(reason.rawValue): it said no; \(reason.remedy)\n"), "\(text)")
  }
}
