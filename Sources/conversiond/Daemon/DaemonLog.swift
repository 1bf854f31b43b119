import Configuration
import Foundation
import Logging
import Systemd

/// The daemon's log: to the journal where standard error is connected to it, in plain lines otherwise.
struct DaemonLog: Sendable {
  let logger: Logger
  /// The level, which a reload may change.
  let level: SharedLogLevel
  private let flushing: @Sendable (Duration) -> Void

  init(_ configuration: Configuration.Log, noColor: Bool) {
    let level = SharedLogLevel(Self.level(configuration))
    self.level = level
    if JournalStream.isStandardError {
      let output = JournalOutput()
      flushing = { output.flush(timeout: $0) }
      logger = Logger(label: "conversiond") { _ in
        AddressedLogHandler(base: QueuedLogHandler(journal: output, level: level))
      }
    } else {
      let output = PlainOutput(color: !noColor)
      flushing = { output.flush(timeout: $0) }
      logger = Logger(label: "conversiond") { _ in
        AddressedLogHandler(base: QueuedLogHandler(plain: output, level: level))
      }
    }
  }

  static func level(_ configuration: Configuration.Log) -> Logger.Level {
    switch configuration.level {
    case .debug: .debug
    case .info: .info
    case .notice: .notice
    case .warning: .warning
    case .error: .error
    }
  }

  /// Waits for what was logged to be written, for 2 s at most.
  func flush() { flushing(.seconds(2)) }
}

/// Writes each record with the commands that its message names as they are to be typed for this daemon's instance.
private struct AddressedLogHandler: LogHandler {
  var base: QueuedLogHandler

  var logLevel: Logger.Level {
    get { base.logLevel }
    set { base.logLevel = newValue }
  }
  var metadata: Logger.Metadata {
    get { base.metadata }
    set { base.metadata = newValue }
  }
  var metadataProvider: Logger.MetadataProvider? {
    get { base.metadataProvider }
    set { base.metadataProvider = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { base[metadataKey: key] }
    set { base[metadataKey: key] = newValue }
  }

  func log(event: LogEvent) {
    var addressed = event
    addressed.message = "\(AdvisedCommands.addressed(event.message.description))"
    base.log(event: addressed)
  }
}
