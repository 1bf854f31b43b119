public import Logging

/// Puts records in the queue of an output, from which a thread of its own writes them: a call never waits for journald,
/// a terminal or a pipe.
public struct QueuedLogHandler: LogHandler {
  /// The least severe level that is written.
  public var logLevel: Logger.Level
  /// Metadata of every record.
  public var metadata: Logger.Metadata = [:]
  /// Metadata that the surrounding task brings.
  public var metadataProvider: Logger.MetadataProvider?

  private let put: @Sendable (LogRecord) -> Void

  /// Writes to the journal with native fields, so that `journalctl CONVERSIOND_ORDER=1043` finds an order's records.
  ///
  /// Each key of the metadata becomes a field: in capitals, with `CONVERSIOND_` before it. The key `event` also
  /// gives the record its MESSAGE_ID (``EventCatalog``).
  ///
  /// - Parameters:
  ///   - journal: The output, which all handlers share.
  ///   - logLevel: The least severe level that is written.
  public init(journal: JournalOutput, logLevel: Logger.Level = .info) {
    put = { journal.put($0) }
    self.logLevel = logLevel
  }

  /// Writes one line a record to standard error, for terminals, files and pipes. Text from outside is escaped, so that
  /// it can neither begin a line nor steer a terminal.
  ///
  /// - Parameters:
  ///   - plain: The output, which all handlers share.
  ///   - logLevel: The least severe level that is written.
  public init(plain: PlainOutput, logLevel: Logger.Level = .info) {
    put = { plain.put($0) }
    self.logLevel = logLevel
  }

  /// One key of the metadata of every record.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Puts a record in the queue.
  public func log(event: LogEvent) { put(LogRecord(event, metadata: metadata, provider: metadataProvider)) }
}
