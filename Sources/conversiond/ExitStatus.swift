import Configuration
import Conversions

/// The exit statuses that scripts and the unit's RestartPreventExitStatus= rely on (sysexits.h from 64 on).
enum ExitStatus: Int32 {
  case done = 0
  case degraded = 1
  case notRunning = 3
  case noSuchEntry = 4
  case usage = 64
  case ledgerDamaged = 65
  case unreachable = 69
  case internalError = 70
  case disk = 74
  case tryAgain = 75
  case permission = 77
  case configuration = 78
}

/// The failure of a command: the message that it prints, and its exit status.
struct CommandFailure: Error, CustomStringConvertible {
  var status: ExitStatus
  var message: String
  /// Lines that go before the message: the mistakes of a configuration file, each with its place.
  var details: [String] = []
  /// Lines that go before those: the file's warnings.
  var warnings: [String] = []

  init(_ status: ExitStatus, _ message: String, details: [String] = [], warnings: [String] = []) {
    (self.status, self.message, self.details, self.warnings) = (status, message, details, warnings)
  }

  var description: String { message }
}

extension CommandFailure {
  /// The advice for a ledger that is damaged.
  static let adviceForDamage = "see what `conversiond rebuild` would do, or restore a backup"

  /// The exit status that a ledger's failure stands for.
  init(_ failure: LedgerFailure) {
    let status: ExitStatus =
      switch failure.kind {
      case .locked: .tryAgain
      case .newer, .damaged: .ledgerDamaged
      case .otherSource, .noFolder: .configuration
      case .permission: .permission
      case .diskFull, .io: .disk
      case .other: .internalError
      }
    let advice = failure.kind == .damaged ? "; \(Self.adviceForDamage)" : ""
    self.init(status, failure.description + advice)
  }

  /// The failure of reading a configuration's file, with every mistake in it.
  init(_ error: ConfigurationError, file: String) {
    switch error {
    case .file(let error): self.init(error.reason == .permission ? .permission : .configuration, error.description)
    case .mistakes(let mistakes):
      let count = mistakes.mistakes.count
      self.init(
        .configuration, "\(count) mistake\(count == 1 ? "" : "s") in \(file)",
        details: mistakes.mistakes.map(\.description), warnings: mistakes.warnings.map(\.description))
    }
  }

  /// The failure that any error is, for the daemon and its reload.
  init(ending error: any Error) {
    switch error {
    case let failure as CommandFailure: self = failure
    case let failure as LedgerFailure: self.init(failure)
    default: self.init(.internalError, "\(error)")
    }
  }
}
