"""Read and write a detector's boxes in the formats of MegaDetector, AddaxAI and SpeciesNet."""
