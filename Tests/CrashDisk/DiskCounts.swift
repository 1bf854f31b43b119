/// The numbers of operations that a disk was asked for, faults included.
public struct DiskCounts: Hashable, Sendable {
  /// Writes.
  public var writes = 0
  /// Bytes in them.
  public var bytes = 0
  /// Syncs.
  public var syncs = 0
  /// Reads.
  public var reads = 0

  /// Nothing yet.
  public init() {}
}
