module pqbed

go 1.27
