public import Logging

/// Writes one line a record to standard error, for terminals, files and pipes.
///
/// Text from outside is escaped, so that it can neither begin a line nor steer a terminal. A call never
/// waits for a reader of the lines.
public struct PlainLogHandler: LogHandler {
  /// The least severe level that is written.
  public var logLevel: Logger.Level
  /// Metadata of every record.
  public var metadata: Logger.Metadata = [:]
  /// Metadata that the surrounding task brings.
  public var metadataProvider: Logger.MetadataProvider?

  private let output: PlainOutput

  /// A handler that shares `output` with all other handlers.
  public init(output: PlainOutput, logLevel: Logger.Level = .info) {
    self.output = output
    self.logLevel = logLevel
  }

  /// One key of the metadata of every record.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Puts a line in the queue.
  public func log(event: LogEvent) {
    output.put(LogRecord(event, metadata: metadata, provider: metadataProvider))
  }
}
