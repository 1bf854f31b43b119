public import Logging
import Synchronization

/// The least severe level that is written, for all of a program's loggers: changed in one place, it holds for each of them.
public final class SharedLogLevel: Sendable {
  private let level: Mutex<Logger.Level>

  /// Begins at a level.
  public init(_ level: Logger.Level) { self.level = Mutex(level) }

  /// The level that holds now.
  public var value: Logger.Level { level.withLock { $0 } }

  /// Sets the level from now on.
  public func set(_ level: Logger.Level) { self.level.withLock { $0 = level } }
}
