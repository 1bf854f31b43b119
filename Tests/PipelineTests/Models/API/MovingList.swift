import Conversions

/// A long list of referrals that moves while it is read, with pages that cost little to make: creation never changes,
/// so the order doesn't, and blocks of counts tell the totals.
struct MovingList {
  private static let blockSize = 256

  private(set) var referrals: [Referral]
  private var blocks: [[ReferralStatus: Int]] = []

  /// Referrals in the order of their making.
  init(_ referrals: [Referral]) {
    self.referrals = referrals
    for first in stride(from: 0, to: referrals.count, by: Self.blockSize) {
      var counts: [ReferralStatus: Int] = [:]
      for referral in referrals[first..<min(first + Self.blockSize, referrals.count)] {
        counts[referral.status, default: 0] += 1
      }
      blocks.append(counts)
    }
  }

  mutating func set(_ index: Int, _ status: ReferralStatus) {
    blocks[index / Self.blockSize][referrals[index].status, default: 0] -= 1
    referrals[index].status = status
    blocks[index / Self.blockSize][status, default: 0] += 1
  }

  mutating func change(_ index: Int, _ change: (inout Referral) -> Void) { change(&referrals[index]) }

  /// The indices of a page's referrals, sorted by creation, and the total.
  func page(_ query: ReferralQuery) -> (indices: [Int], total: Int) {
    let first = query.dateFrom.map { from in position { $0.createdAt < from } } ?? 0
    let last = query.dateTo.map { to in position { $0.createdAt <= to } } ?? referrals.count
    let size = query.pageSize ?? 25
    var skip = ((query.page ?? 1) - 1) * size
    var (indices, index) = ([Int](), first)
    while index < last, indices.count < size {
      if index % Self.blockSize == 0, index + Self.blockSize <= last {
        let count = self.count(block: index / Self.blockSize, query.status)
        if count == 0 || count <= skip {
          skip -= count
          index += Self.blockSize
          continue
        }
      }
      if query.status == nil || referrals[index].status == query.status {
        if skip > 0 { skip -= 1 } else { indices.append(index) }
      }
      index += 1
    }
    return (indices, total(first, last, query.status))
  }

  private func count(block: Int, _ status: ReferralStatus?) -> Int {
    guard let status else { return blocks[block].values.reduce(0, +) }
    return blocks[block][status] ?? 0
  }

  private func total(_ first: Int, _ last: Int, _ status: ReferralStatus?) -> Int {
    var (total, index) = (0, first)
    while index < last {
      if index % Self.blockSize == 0, index + Self.blockSize <= last {
        total += count(block: index / Self.blockSize, status)
        index += Self.blockSize
      } else {
        if status == nil || referrals[index].status == status { total += 1 }
        index += 1
      }
    }
    return total
  }

  /// Counts the first referrals that fulfil a condition that all after them don't.
  private func position(_ isBefore: (Referral) -> Bool) -> Int {
    var (low, high) = (0, referrals.count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(referrals[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
