public import Logging

/// Puts records in the queue of an output, from which a thread of its own writes them: a call never waits for journald,
/// a terminal or a pipe.
public struct QueuedLogHandler: LogHandler {
  /// The least severe level that is written: the shared one, unless this handler was given its own.
  public var logLevel: Logger.Level {
    get { ownLevel ?? sharedLevel.value }
    set { ownLevel = newValue }
  }
  /// Metadata of every record.
  public var metadata: Logger.Metadata = [:]
  /// Metadata that the surrounding task brings.
  public var metadataProvider: Logger.MetadataProvider?

  private let put: @Sendable (LogRecord) -> Void
  private let sharedLevel: SharedLogLevel
  private var ownLevel: Logger.Level?

  /// Writes to the journal with native fields, so that `journalctl CONVERSIOND_ORDER=1043` finds an order's records.
  ///
  /// Each key of the metadata becomes a field: in capitals, with `CONVERSIOND_` before it. The key `event` also
  /// gives the record its MESSAGE_ID (``EventCatalog``).
  ///
  /// - Parameters:
  ///   - journal: The output, which all handlers share.
  ///   - level: The least severe level that is written.
  public init(journal: JournalOutput, level: SharedLogLevel = SharedLogLevel(.info)) {
    put = { journal.put($0) }
    sharedLevel = level
  }

  /// Writes one line a record to standard error, for terminals, files and pipes. Text from outside is escaped, so that
  /// it can neither begin a line nor steer a terminal.
  ///
  /// - Parameters:
  ///   - plain: The output, which all handlers share.
  ///   - level: The least severe level that is written.
  public init(plain: PlainOutput, level: SharedLogLevel = SharedLogLevel(.info)) {
    put = { plain.put($0) }
    sharedLevel = level
  }

  /// One key of the metadata of every record.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Puts a record in the queue.
  public func log(event: LogEvent) { put(LogRecord(event, metadata: metadata, provider: metadataProvider)) }
}
