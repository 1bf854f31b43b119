public import Logging

/// Writes to the journal with native fields, so that `journalctl CONVERSIOND_ORDER=1043` finds an order's records.
///
/// Each key of the metadata becomes a field: in capitals, with `CONVERSIOND_` before it. The key `event` also
/// gives the record its MESSAGE_ID (``EventCatalog``). A call never waits for journald.
public struct JournalLogHandler: LogHandler {
  /// The least severe level that is written.
  public var logLevel: Logger.Level
  /// Metadata of every record.
  public var metadata: Logger.Metadata = [:]
  /// Metadata that the surrounding task brings.
  public var metadataProvider: Logger.MetadataProvider?

  private let output: JournalOutput

  /// A handler that shares `output` with all other handlers.
  public init(output: JournalOutput, logLevel: Logger.Level = .info) {
    self.output = output
    self.logLevel = logLevel
  }

  /// One key of the metadata of every record.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Puts a record in the queue.
  public func log(event: LogEvent) {
    output.put(LogRecord(event, metadata: metadata, provider: metadataProvider))
  }
}
