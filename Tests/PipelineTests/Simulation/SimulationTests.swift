import Foundation
import Testing

/// Many days of many partners, each from a seed: `SIMULATION_SEEDS` says how many, `SIMULATION_SEED` which one alone.
@Suite struct SimulationTests {
  private static func number(_ name: String, _ otherwise: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? otherwise
  }

  @Test func noSeedBreaksARule() throws {
    let only = Self.number("SIMULATION_SEED", 0)
    let seeds = only > 0 ? only...only : 1...Self.number("SIMULATION_SEEDS", 200)
    let began = ContinuousClock.now
    var broken: [String] = []
    for seed in seeds {
      do {
        let simulation = try Simulation(seed: UInt64(seed))
        defer { if only > 0 { print(simulation.story.joined(separator: "\n")) } }
        let digest = try simulation.play()
        if only > 0 { print("simulation: seed \(seed) came to \(String(digest, radix: 16))") }
      } catch {
        broken.append("\(error)")
        print("simulation: \(error)")
        if broken.count == 10 { break }
      }
    }
    print("simulation: \(seeds.count) seeds in \(ContinuousClock.now - began), \(broken.count) broke a rule")
    #expect(broken.isEmpty)
  }
}
