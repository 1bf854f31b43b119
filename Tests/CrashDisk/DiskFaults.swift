/// The faults of a disk until it is put right.
public struct DiskFaults: Hashable, Sendable {
  /// The result of fsync(2).
  public enum Sync: Hashable, Sendable {
    /// It does what it says.
    case works
    /// The next one fails, as Linux tells an error once.
    case failsOnce
    /// All fail.
    case failsAlways
  }

  /// Nothing can be made longer (`SQLITE_FULL`); what is there can still be written over.
  public var isFull = false
  /// Nothing can be written (`SQLITE_READONLY`), made or deleted.
  public var isReadOnly = false
  /// Nothing can be read (`SQLITE_IOERR_READ`).
  public var failsReads = false
  /// The result of a sync. Data that a failed one should have made durable is lost at the next power failure, whatever
  /// later syncs say, as the kernel takes it for clean from then on; until then it can be read.
  public var sync = Sync.works
  /// The number of writes, truncations, syncs and deletions after which the power fails, nil for never. From then on
  /// every operation fails, until `CrashDisk.crash` or `kill` is called.
  public var powerFailsAfter: Int?

  /// None.
  public init() {}
}
