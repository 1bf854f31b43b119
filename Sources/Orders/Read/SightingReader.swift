import Conversions

/// Looks for orders by their keys, and judges how far a server's answer about each of them is to be trusted.
struct SightingReader: Sendable {
  let memory: ShopMemory
  /// Reads the rows with some keys, in a transaction of its own.
  let read: @Sendable (_ keys: [OrderKey]) async throws -> KeyedReader.Found

  /// A sighting for each of the keys.
  func sightings(_ keys: [OrderKey]) async throws -> [OrderKey: RowSighting] {
    let found = try await read(keys)
    var sightings: [OrderKey: RowSighting] = [:]
    var missing: [OrderKey] = []
    for key in keys {
      switch (memory.trust(in: found.stand, on: key), found.rows[key]) {
      case (.none(let words), _): sightings[key] = .unproven(words)
      case (.whole, let row?), (.rows, let row?):
        memory.found(key)
        sightings[key] = .shown(row)
      case (.whole, nil) where found.excluded.contains(key), (.rows, nil) where found.excluded.contains(key):
        memory.found(key)
        sightings[key] = .excluded
      case (.whole, nil): missing.append(key)
      case (.rows, nil):
        sightings[key] =
          memory.isMissedLong(key)
          ? found.absence : .unproven("missing on a server that doesn't tell how far behind it is")
      }
    }
    guard found.stand.isStandby, !missing.isEmpty else {
      for key in missing { sightings[key] = found.absence }
      return sightings
    }
    return sightings.merging(try await again(missing, after: found.stand)) { $1 }
  }

  /// A standby tells its position a moment after its snapshot was taken, and may have replayed an order in between: a
  /// second snapshot is later than the position of the first.
  private func again(_ keys: [OrderKey], after first: ServerStand) async throws -> [OrderKey: RowSighting] {
    let found = try await read(keys)
    let isSame = found.stand.server == first.server && found.stand.visibility == first.visibility
    return Dictionary(
      keys.map { key in
        guard isSame else { return (key, .unproven("another server answered in the middle of a look")) }
        return (key, found.rows[key].map { .shown($0) } ?? (found.excluded.contains(key) ? .excluded : found.absence))
      }, uniquingKeysWith: { first, _ in first })
  }
}

extension KeyedReader.Found {
  /// The meaning of a row that is missing: gone, unless row-level security may hide it.
  fileprivate var absence: RowSighting { stand.policed.isEmpty ? .gone : .hidden }
}
