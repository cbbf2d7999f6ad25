"""The strategy contract and the strategies that ship; each reads like its formula."""
