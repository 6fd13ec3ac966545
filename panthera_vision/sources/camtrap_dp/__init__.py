"""Read and write Camtrap DP, the data package of camera traps (https://camtrap-dp.tdwg.org)."""
