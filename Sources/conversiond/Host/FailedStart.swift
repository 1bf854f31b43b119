import ArgumentParser
import Conversions
import Logging
import Pipeline
import Systemd

/// Logs what ends a start of the daemon, or a run, as an event of the journal: a line of standard error has the priority
/// info there, and `journalctl -p warning` would show no reason for a service that is dead.
enum FailedStart {
  /// Runs the daemon; logs a failure where standard error goes to the journal, and leaves it to the caller elsewhere.
  ///
  /// - Throws: `CommandFailure`; in its place `ExitCode`, of which nothing is printed, for one that was logged.
  static func logged(_ run: () async throws -> Void) async throws {
    do {
      try await run()
    } catch {
      let failure = CommandFailure(ending: error)
      ServiceNotifier.status(words(failure))
      guard JournalStream.isStandardError else { throw failure }
      log(failure)
      throw ExitCode(failure.status.rawValue)
    }
  }

  /// The cause in one line, and what to type.
  static func words(_ failure: CommandFailure) -> String {
    let first = failure.details.first.map { ": \($0)" } ?? ""
    let message = failure.message.split(whereSeparator: \.isNewline).joined(separator: "; ")
    return message + first + (failure.status.advice.map { "; \($0)" } ?? "")
  }

  private static func log(_ failure: CommandFailure) {
    let output = JournalOutput()
    let logger = Logger(label: "conversiond") { _ in QueuedLogHandler(journal: output) }
    for warning in failure.warnings { logger.warning("\(warning)") }
    for detail in failure.details { logger.error("\(detail)") }
    logger.event(
      .failed, .error, words(failure),
      ["exit_status": String(failure.status.rawValue), "reason": failure.status.reason])
    output.flush(timeout: .seconds(2))
  }
}

extension ExitStatus {
  /// The status in a code, as the journal's field `reason` has it.
  fileprivate var reason: String {
    switch self {
    case .done: "done"
    case .degraded: "degraded"
    case .notRunning: "not_running"
    case .noSuchEntry: "no_such_entry"
    case .usage: "usage"
    case .ledgerDamaged: "ledger_damaged"
    case .unreachable: "unreachable"
    case .internalError: "internal"
    case .disk: "disk"
    case .tryAgain: "try_again"
    case .permission: "permission"
    case .configuration: "configuration"
    }
  }

  /// The next thing to do about a start that ended so, where its message doesn't say it.
  fileprivate var advice: String? {
    switch self {
    case .configuration, .permission: "`conversiond check` says what to change, then `systemctl restart conversiond`"
    case .disk: "make room, or mend the disk (`df -h`): systemd starts it again by itself"
    case .tryAgain: "systemd starts it again by itself; if another runs, `conversiond status` tells of it"
    case .internalError: "systemd starts it again by itself; if it comes again, keep this line and the version"
    default: nil
    }
  }
}
