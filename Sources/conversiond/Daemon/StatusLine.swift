import Conversions
import Foundation
import ServiceLifecycle
import Systemd

/// Keeps the line that `systemctl status` shows.
struct StatusLine: Service {
  /// The time between two lines.
  private static let interval = Duration.seconds(5)

  let source: StatusSource

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var shown = ""
      while !Task.isCancelled {
        if let text = (try? await source.report()).map(Self.text), text != shown {
          ServiceNotifier.status(text)
          shown = text
        }
        try? await Task.sleep(for: Self.interval)
      }
    }
  }

  /// The worst that a status tells, and what waits, in one line.
  static func text(_ report: StatusReport) -> String {
    let trouble = trouble(report)
    return [trouble, waiting(report, isFree: trouble == nil)].compactMap(\.self).joined(separator: "; ")
  }

  private static func trouble(_ report: StatusReport) -> String? {
    if let halt = report.halt { return "sending is halted since \(halt.since): \(halt.reason)" }
    let parts = [
      ("the shop's database", report.database), ("the ledger", report.ledgerHealth), ("reading referrals", report.api),
      ("sending", report.delivery),
    ]
    for (name, health) in parts where health.state == "failing" {
      let since = health.since.map { " since \($0)" } ?? ""
      return "\(name) fails\(since): \((health.message ?? "").prefix(120))"
    }
    if let refused = report.reloadRefused {
      return "the configuration on the disk was refused at \(refused.since): conversiond check"
    }
    if report.clock?.state == "unconfirmed" { return "the clock is unconfirmed: nothing is sent for the first time" }
    if let until = report.quietUntil {
      return "restored or rebuilt: nothing is sent for the first time before \(until)"
    }
    if report.caughtUpAt == nil { return "catching up: nothing is sent before every order and referral is known" }
    return report.needsPerson ? "needs a person: conversiond status" : nil
  }

  private static func waiting(_ report: StatusReport, isFree: Bool) -> String {
    guard let waiting = report.waiting, waiting.reports > 0 else {
      return "no report waits, \(report.today[Outcome.reported.rawValue] ?? 0) today"
    }
    let next = waiting.nextAt.map { ", the next at \($0)" } ?? ""
    let reports = waiting.reports == 1 ? "1 report waits" : "\(waiting.reports) reports wait"
    return "\(reports), \(CentsText.text(waiting.cents))\(isFree ? next : "")"
  }
}
